"""Whether what a connector needs is there: asks everything, writes nothing."""
