"""The whole way on this machine, without accounts or servers."""
