"""Campaigns: a million rows from a file, resumable, and no row sent twice. Names are imported lazily, on first use."""
