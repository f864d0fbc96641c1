"""The generator of the sync client: conversion of code, reported problems, and the generated files."""

from __future__ import annotations

from collections import Counter
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from tests.codegen import generate_sync as generator
from tests.codegen.files import report
from tests.codegen.generate_sync import RENAMES, check, left_overs, problems, render, to_sync, write

if TYPE_CHECKING:
    from pathlib import Path


def _unformatted(source: str, path: str) -> str:
    """Replace `tidy`, so that no process is started."""
    assert path.startswith(generator.TARGET)
    return source


@pytest.mark.parametrize(
    ("source", "generated"),
    [
        ("async def f(): return await g(await h(1))\n", "def f(): return g(h(1))\n"),
        ("async def f():\n    async with a as b: await b\n", "def f():\n    with a as b: b\n"),
        ("async def f():\n    async for x in y: await x()\n", "def f():\n    for x in y: x()\n"),
        (
            "async def f(): return [await x async for x in y if await z(x)]\n",
            "def f(): return [x for x in y if z(x)]\n",
        ),
        ("async def f(): return {x: 1 async for x in y}\n", "def f(): return {x: 1 for x in y}\n"),
        ("async def f(): return (await g()).data\n", "def f(): return g().data\n"),
        ("async def f(): return await (a or b)\n", "def f(): return (a or b)\n"),
        ("async def f():\n    return (await a\n        .b())\n", "def f():\n    return (a\n        .b())\n"),
        ("async def f(): await self._http.aclose()\n", "def f(): self._http.close()\n"),
        ("import httpx\nx: httpx.AsyncClient\n", "import httpx\nx: httpx.Client\n"),
        ("from ippanel_edge._async.pagination import Page\n", "from ippanel_edge._sync.pagination import Page\n"),
        ("from . import _io\nfrom .._async import client\n", "from . import _io\nfrom .._sync import client\n"),
        ("proceed: Callable[[int], Awaitable[Reply[T]]]\n", "proceed: Callable[[int], Reply[T]]\n"),
        ("x: Coroutine[Any, Any, list[int]]\n", "x: list[int]\n"),
        ("x: collections.abc.Awaitable[int] | None\n", "x: int | None\n"),
        ("x: AsyncIterator[Awaitable[int]]\n", "x: Iterator[int]\n"),
        ("x: AsyncGenerator[int, None]\n", "x: Generator[int, None, None]\n"),
        ("x: httpx.AsyncByteStream\n", "x: httpx.SyncByteStream\n"),
        ("class _AsyncLogin(AsyncThing): ...\n", "class _Login(Thing): ...\n"),
        ("x: AsyncGenerator[int]\n", "x: Generator[int, None, None]\n"),
        ("class A:\n    async def __aenter__(self): ...\n", "class A:\n    def __enter__(self): ...\n"),
    ],
)
def test_async_code_is_converted_to_sync_code(source: str, generated: str) -> None:
    assert to_sync(source) == generated


def test_docstrings_comments_and_strings_are_converted_like_code() -> None:
    source = dedent('''\
        class AsyncEdgeClient:
            """Sends.

            async with AsyncEdgeClient() as client:
                await client.send.pattern(...)  # await nothing else
                async for message in client.reports.iter_outbox():
                    print(message)

            It holds an httpx.AsyncClient; async def is not needed. Middleware is `async (call, proceed) -> reply`.
            """

            # await client.aclose() when done
            def __repr__(self):
                return f"<AsyncEdgeClient {self.__aenter__} await it>" "AsyncEdgeClient"
    ''')
    assert to_sync(source) == dedent('''\
        class EdgeClient:
            """Sends.

            with EdgeClient() as client:
                client.send.pattern(...)  # nothing else
                for message in client.reports.iter_outbox():
                    print(message)

            It holds an httpx.Client; def is not needed. Middleware is `(call, proceed) -> reply`.
            """

            # client.close() when done
            def __repr__(self):
                return f"<EdgeClient {self.__enter__} it>" "EdgeClient"
    ''')


def test_only_whole_names_are_replaced() -> None:
    untouched = "acloseness = my_aclose = x.NotAsyncThing  # Asynchrony, canext\n"
    assert to_sync(untouched) == untouched


def test_replaced_names_are_counted_in_code_and_in_strings() -> None:
    used: Counter[str] = Counter()
    to_sync('x = AsyncByteStream  # aclose\n"aclose"\nf"{AsyncByteStream} anext"\n', used)
    assert +used == {"AsyncByteStream": 2, "aclose": 2, "anext": 1}


def test_the_first_line_of_a_generated_file_names_its_source() -> None:
    files, _ = render({"pages.py": '"""Pages."""\n'}, _unformatted)
    assert files["pages.py"].splitlines()[0] == (
        "# Generated from ippanel_edge/_async/pages.py by tests/codegen/generate_sync.py: edit that, not this."
    )


def test_generated_code_is_formatted_and_has_sorted_and_used_imports_only() -> None:
    source = "from collections.abc import AsyncIterator, Awaitable\n\nx: AsyncIterator[Awaitable[int]]=y( 'a' )\n"
    files, _ = render({"a.py": source})
    assert files["a.py"].splitlines()[1:] == ["from collections.abc import Iterator", "", 'x: Iterator[int] = y("a")']


def test_an_unused_rename_is_reported() -> None:
    _, unused = render({"a.py": "x: AsyncByteStream\n"}, _unformatted)
    assert unused == set(RENAMES) - {"AsyncByteStream"}
    assert list(problems({}, {}, frozenset({"aclose"}))) == [
        "unused rename: 'aclose' is in no source; remove it from RENAMES"
    ]


def test_missing_and_stale_files_are_reported() -> None:
    assert list(problems({"new.py": "x"}, {"old.py": "x"}, frozenset())) == [
        "missing: ippanel_edge/_sync/new.py",
        "stale: ippanel_edge/_sync/old.py has no source",
    ]


def test_an_edited_file_is_reported_with_the_difference() -> None:
    (problem,) = problems({"a.py": "x = 1\n"}, {"a.py": "x = 2\n"}, frozenset())
    assert problem.startswith("out of date: ippanel_edge/_sync/a.py")
    assert "-x = 2\n+x = 1" in problem


@pytest.mark.parametrize(
    "line",
    [
        "await x",
        "# async things",
        "AsyncThing()",
        "import anyio",
        "x.aclose()",
        "Awaitable",
        "asynchronous",
        "aiter_lines",
    ],
)
def test_remaining_async_code_is_reported(line: str) -> None:
    (problem,) = left_overs("a.py", f"x = 1\n    {line}\n")
    assert problem.startswith("ippanel_edge/_sync/a.py:2: ")


def test_comments_may_mention_event_loops() -> None:
    assert not list(left_overs("a.py", "# It serves asyncio, trio and threads alike.\n"))


def test_the_banner_is_not_reported() -> None:
    assert not list(left_overs("a.py", generator.banner("a.py")))


def test_writing_resolves_all_problems_and_does_not_change_hand_written_files(tmp_path: Path) -> None:
    sources, targets = tmp_path / generator.SOURCE, tmp_path / generator.TARGET
    sources.mkdir(parents=True)
    targets.mkdir(parents=True)
    (sources / "_io.py").write_text("async def sleep(): ...\n")
    (targets / "_io.py").write_text("def sleep(): ...\n")
    (sources / "a.py").write_text("async def f(): await " + ", ".join(RENAMES) + "\n")
    (targets / "stale.py").write_text("")

    assert write(tmp_path) == []
    assert check(tmp_path) == []
    assert sorted(file.name for file in targets.iterdir()) == ["_io.py", "a.py"]
    assert (targets / "_io.py").read_text() == "def sleep(): ...\n"

    (targets / "a.py").write_text("def f(): 1\n")
    assert [problem.split("\n")[0] for problem in check(tmp_path)] == ["out of date: ippanel_edge/_sync/a.py"]


def test_the_generated_files_are_up_to_date() -> None:
    found = check()
    assert not found, report(found)
