"""A Pinecone-compatible server for this machine: REST control and data plane, numpy inside."""
