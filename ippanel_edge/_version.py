"""The version, in the one place that the build, the User-Agent and the package read it from. Nothing else."""

__version__ = "0.1.0"
"""The version of the package."""
