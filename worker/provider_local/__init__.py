"""A server that answers as Cohere, OpenAI and Voyage do, with faults on demand."""
