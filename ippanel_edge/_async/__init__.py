"""The client that awaits: the only hand-written I/O of this SDK, from which its sync twin is generated."""
