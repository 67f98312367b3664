"""The vecsink command."""
