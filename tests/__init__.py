"""The tests. A package, so that they can share what is written for them once."""
