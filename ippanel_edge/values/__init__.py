"""Validation, parsing and formatting of values: phones, times, files, SMS segments, secrets. Imports errors only."""
