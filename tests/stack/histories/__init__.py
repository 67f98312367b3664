"""Random histories of SQL, what they should leave in the index, and what they may cost."""
