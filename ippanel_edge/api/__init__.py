"""Argument builders by section: they check and normalise what a method was given. No I/O."""
