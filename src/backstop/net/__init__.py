"""The network: one client per host behind gate, breaker, coalescer, retry and archive."""
