"""Columns that Debezium could not send, read from the source database."""
