"""The page for people at the REST port: what stands how, since when, and what to do about it."""
