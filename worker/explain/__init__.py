"""Why a row is, or is not, in the index: its records, its point, and what would happen now."""
