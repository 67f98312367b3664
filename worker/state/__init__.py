"""What outlives a worker and cannot live in the index: one small compacted topic per connector."""
