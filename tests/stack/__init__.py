"""The real servers that the stack tests run on, from package registries and without Docker."""
