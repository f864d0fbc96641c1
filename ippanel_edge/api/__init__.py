"""Argument builders by section: they check and normalise a method's arguments as parts of a call. No I/O."""
