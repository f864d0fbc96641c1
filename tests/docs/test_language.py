"""The package's docstrings, comments and strings, and the documentation, use standard terms."""

from __future__ import annotations

import io
import re
import tokenize
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parents[2]

BANNED: Final = {
    r"rooms?": "module, package or section",
    r"house": "package or project",
    r"journey": "request lifecycle, or attempts",
    r"walk(s|ed|ing)?": "iterate, traverse or page through",
    r"puts? right": "normalize or correct",
    r"hand(s|ed)? over": "pass, provide or return",
    r"take(n)? back": "cancel or revoke",
    r"what became of": "status or outcome",
    r"ma(k|d)e again": "retry or repeat",
    r"gives back": "return",
    r"how-manieth": "counter or index",
    r"by itself": "automatically, alone or on its own",
    r"whole number": "integer, or int for the type",
    r"papers": "documents",
    r"so as to": "to",
    r"lying about": "open, unclosed or not finalized",
    r"half a character": "lone surrogate",
    r"kitchen": "a term of the field",
}
"""Words and phrases as regular expressions, each with what to write instead."""

PATTERNS: Final = {
    re.compile(r"\b(?:" + words.replace(" ", r"\s+") + r")\b", re.IGNORECASE): instead
    for words, instead in BANNED.items()
}
TEXT_TOKENS: Final = {tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}


def python_texts(source: str) -> Iterator[tuple[int, str]]:
    """Yield the comments and strings of a module, each with the line on which it begins."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in TEXT_TOKENS:
            yield token.start[0], token.string


def problems(name: str, texts: Iterator[tuple[int, str]]) -> list[str]:
    """Return a line for each banned word: where it is, the word, and what to write instead."""
    found = [
        (line + text.count("\n", 0, match.start()), " ".join(match[0].split()), instead)
        for line, text in texts
        for pattern, instead in PATTERNS.items()
        for match in pattern.finditer(text)
    ]
    return [f"{name}:{line}: {words!r}: write {instead}" for line, words, instead in sorted(found)]


def test_the_package_and_the_documentation_use_standard_terms() -> None:
    modules = sorted((ROOT / "ippanel_edge").rglob("*.py"))
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / ".github").rglob("*.md"))]
    found: list[str] = []
    for path in modules:
        found += problems(path.relative_to(ROOT).as_posix(), python_texts(path.read_text("utf-8")))
    for path in pages:
        found += problems(path.relative_to(ROOT).as_posix(), iter([(1, path.read_text("utf-8"))]))
    assert not found, "\n" + "\n".join(found)


def test_a_banned_phrase_is_found_in_comments_and_strings_with_its_line() -> None:
    source = '"""First line.\n\nTokens are handed\nover here."""\n\nhouse = 1  # Walking on\n'
    assert problems("a.py", python_texts(source)) == [
        "a.py:3: 'handed over': write pass, provide or return",
        "a.py:6: 'Walking': write iterate, traverse or page through",
    ]


def test_names_and_parts_of_words_are_not_found() -> None:
    source = "journey = HANDED_OVER  # warehouse, mushrooms, walkie, made_again\n"
    assert problems("a.py", python_texts(source)) == []
