# Generated from ippanel_edge/_async/__init__.py by tests/codegen/generate_sync.py: edit that, not this.
"""The client that awaits: the only hand-written I/O of this SDK, from which its sync twin is generated."""
