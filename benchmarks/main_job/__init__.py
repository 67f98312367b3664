"""The main job as users run it: real Kafka, an embedding provider, Pinecone, ``vecsink run``."""
