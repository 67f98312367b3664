"""The steps joined: poll, decode, batch, write, commit."""
