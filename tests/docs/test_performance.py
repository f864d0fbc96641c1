"""The page about performance has its generated part, with the figures of every target, and its plots."""

from __future__ import annotations

import re

from benchmarks import page
from benchmarks.process import ROOT
from benchmarks.targets import TARGETS

TEXT = page.FILE.read_text("utf-8")
GENERATED = TEXT.partition(page.BEGIN)[2].partition(page.END)[0]


def test_each_target_is_listed_with_a_measured_value() -> None:
    rows = [line.split(" | ") for line in GENERATED.splitlines() if line.startswith("| ")]
    measured = {row[0].removeprefix("| "): row[1] for row in rows if len(row) == 5}
    assert [target.title for target in TARGETS if not re.match(r"\d", measured.get(target.title, ""))] == []


def test_no_send_of_the_sdk_failed_in_a_measurement() -> None:
    rows = [line.strip("| ").split(" | ") for line in GENERATED.splitlines() if line.startswith("| burst of")]
    failed = {(row[0], row[1]): row[-1] for row in rows if len(row) == 6 and row[1].startswith("SDK")}
    assert failed
    assert set(failed.values()) == {"0"}


def test_the_plots_of_the_page_are_the_files_of_the_folder() -> None:
    shown = re.findall(r"!\[[^\]]+\]\(performance/(\w+\.svg)\)", GENERATED)
    assert sorted(shown) == sorted(file.name for file in page.PLOTS.iterdir())
    assert all("<svg" in (page.PLOTS / name).read_text("utf-8") for name in shown)


def test_what_the_page_says_about_commands_is_true() -> None:
    noxfile = (ROOT / "noxfile.py").read_text("utf-8")
    assert 'session.run("python", "-m", "benchmarks", *session.posargs)' in noxfile
    assert "nox -s bench -- --short" in (ROOT / ".ci" / "run").read_text("utf-8")
