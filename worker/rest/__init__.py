"""Kafka Connect's REST API, in front of the runtime's ``Herder``."""
