"""A change of a row to the document that should be in the index."""
