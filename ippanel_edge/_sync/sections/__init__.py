# Generated from ippanel_edge/_async/sections/__init__.py by tests/codegen/generate_sync.py: edit that, not this.
"""The 14 sections of the API. Each method is a docstring and one return."""
