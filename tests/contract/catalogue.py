"""All samples: the SAMPLES of each file in samples/; a new section only needs a new file."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Final

from tests.contract.sample import Sample

SAMPLES: Final[list[Sample]] = [
    sample
    for file in sorted(Path(__file__).with_name("samples").glob("[a-z]*.py"))
    for sample in import_module(f"tests.contract.samples.{file.stem}").SAMPLES
]
