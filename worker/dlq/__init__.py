"""The dead-letter topic."""
