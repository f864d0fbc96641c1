"""The 14 sections of the API. Each method is a docstring and one return."""
