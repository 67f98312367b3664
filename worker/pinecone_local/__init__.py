"""A server that speaks Pinecone's API, for demo and tests."""
