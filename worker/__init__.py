"""vecsink: Debezium row changes to vectors."""

__version__ = "0.1.0"
