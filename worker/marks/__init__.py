"""What the state topic remembers about rows: truncates of their tables, and dead letters."""
