"""HTTP/1.1 for httpx, for less CPU than by httpcore."""
