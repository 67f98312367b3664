"""Bytes to changes: wire format, schemas, Debezium envelopes, column types."""
