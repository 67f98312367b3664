"""The dead letters as an operator sees them: what failed, why, since when, what is left."""
