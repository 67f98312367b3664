"""Tasks, threads and signals of one process."""
