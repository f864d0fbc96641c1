"""The version, in the one place that the build, the User-Agent and the package read it from. Nothing else."""

from typing import Final

__version__: Final = "0.1.0"
