"""Values without context: str in, value out. Phones, times, files, SMS segments, secrets. Imports errors only."""
