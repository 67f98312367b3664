"""Which change is next, and which offset may be committed; pure, single-threaded."""
