"""Points in a vector store."""
