"""Integrations with other packages, each behind its extra. Nothing is imported here."""
