"""How fast we may call: limits per minute, waits that a provider asks for, and circuits."""
