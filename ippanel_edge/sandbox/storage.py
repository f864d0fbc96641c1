"""The state of the sandbox in an SQLite file: what a request changed is written before its response is sent.

Each record is one row of JSON. A record notes each change of its attributes (`records.Record`), and the dicts of the
state note their keys, so saving costs time for the changed records only. Collections and settings are found by the
type hints of `SandboxState`: a new one is stored without a change here.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import GenericAlias
from typing import TYPE_CHECKING, Any, Final, get_args, get_origin, get_type_hints

import attrs
from cattrs.preconf.json import make_converter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ippanel_edge.sandbox.state import SandboxState
from ippanel_edge.sandbox.tracking import Changes, DictTable, ListTable, Tracked

if TYPE_CHECKING:
    from ippanel_edge.sandbox.clock import SandboxClock

VERSION: Final = 1
"""The version of the schema and of the records; a file of another version is refused."""

_APPLICATION_ID: Final = 0x49505342  # "IPSB": marks the file as one of the sandbox
# A key column with a type would change keys: NUMERIC makes the number 1 of the text "01".
_SCHEMA: Final = """
CREATE TABLE records (
    kind TEXT NOT NULL, key NOT NULL, position INTEGER NOT NULL, data TEXT NOT NULL, PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE TABLE settings (name TEXT PRIMARY KEY, data TEXT NOT NULL) WITHOUT ROWID;
"""
_UPSERT: Final = (
    "INSERT INTO records (kind, key, position, data) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (kind, key) DO UPDATE SET data = excluded.data"
)
_SAVE: Final = "sandbox_save"
"""The key of the function that saves, in the state of a scope."""
_converter = make_converter()
_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class StorageError(ValueError):
    """The file cannot be used: it is none of the sandbox, of another version, or in use."""


class Storage:
    """The SQLite file of one sandbox, and which records of its state are not saved yet.

    Args:
        path: the file; it is created, readable by its owner only, if it does not exist. One sandbox at a time uses it.

    Raises:
        StorageError: the file is not one of the sandbox, has another version, or another sandbox uses it.
        OSError: the file cannot be opened.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = os.fspath(path)
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        # Requests run in the thread of the server; all use of the connection holds the lock of the state.
        self._connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=0)
        try:
            self._is_new = self._prepare()
        except sqlite3.Error as error:
            self._connection.close()
            raise StorageError(self._describe(error)) from error
        except StorageError:
            self._connection.close()
            raise
        self._state: SandboxState | None = None
        self._tables: list[Tracked] = []
        self._settings: dict[str, object] = {}
        ((self._position,),) = self._connection.execute("SELECT coalesce(max(position), 0) FROM records")

    def _prepare(self) -> bool:
        """Lock the file, check its version and create the tables of a new file; return whether it is new."""
        run = self._connection.execute
        run("PRAGMA locking_mode = EXCLUSIVE")
        # A killed process loses nothing in this mode; only a crash of the operating system may lose the last requests.
        run("PRAGMA synchronous = NORMAL")
        (pages,), (application,), (version,) = (
            run(f"PRAGMA {name}").fetchone() for name in ("page_count", "application_id", "user_version")
        )
        if pages and application != _APPLICATION_ID:
            raise StorageError(f"db: {self._path} is not a file of the sandbox; choose another name")
        if pages and version != VERSION:
            raise StorageError(
                f"db: {self._path} has version {version}, but this release of ippanel-edge uses version {VERSION}; "
                "choose another file, or use the release that created it"
            )
        Path(self._path).chmod(0o600)
        run("PRAGMA journal_mode = WAL")
        run("BEGIN IMMEDIATE")  # takes the lock, which the connection then keeps
        if not pages:
            for statement in _SCHEMA.split(";")[:-1]:
                run(statement)
            run(f"PRAGMA application_id = {_APPLICATION_ID}")
            run(f"PRAGMA user_version = {VERSION}")
        run("COMMIT")
        return not pages

    def _describe(self, error: sqlite3.Error) -> str:
        if "locked" in str(error):
            return f"db: another sandbox uses {self._path}; stop it, or choose another file"
        return f"db: {self._path} is not a file of the sandbox; choose another name ({error})"

    def open_state(self, clock: SandboxClock, create: Callable[[SandboxClock], SandboxState]) -> SandboxState:
        """Return the state in the file, or that of `create` if the file is new; its changes are saved from now on.

        Args:
            clock: the clock of the state; it continues from the saved time.
            create: creates the state of a new sandbox.
        """
        factor = clock.factor
        self._state = create(clock) if self._is_new else self._load(clock)
        for name, hint in _collections():
            table = ListTable if get_origin(hint) is list else DictTable
            self._tables.append(table(self._state, name, is_saved=not self._is_new))
        if clock.factor != factor:
            self._state.keep_progress()
            clock.factor = factor
        self.save()
        return self._state

    def _load(self, clock: SandboxClock) -> SandboxState:
        state = SandboxState(clock)
        saved = {name: json.loads(data) for name, data in self._connection.execute("SELECT name, data FROM settings")}
        for name in _setting_names():
            if name in saved:
                setattr(state, name, saved[name])
        for name, hint in _collections():
            rows = self._connection.execute(
                "SELECT key, data FROM records WHERE kind = ? ORDER BY position", (name,)
            ).fetchall()
            *key_types, record_type = get_args(hint)
            records: list[Any] = [_converter.structure(json.loads(data), record_type) for _, data in rows]
            if key_types:
                keys = [_loaded_key(key, key_types[0]) for key, _ in rows]
                setattr(state, name, dict(zip(keys, records, strict=True)))
            else:
                for record, (key, _) in zip(records, rows, strict=True):
                    record.track([], key)
                setattr(state, name, records)
        clock.restore(saved["clock"])
        state.restore(saved["counters"], saved["api_keys"], saved["blacklist"])
        self._settings = saved
        return state

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called."""
        return self._state is None

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """Return an app that answers like `app` and saves what each request changed before its response begins."""
        return _SavingApp(app, self.save)

    def save(self) -> None:
        """Write what changed since the last call, in one transaction; do nothing after `close`.

        Raises:
            sqlite3.Error: the file cannot be written, for example because the disk is full.
        """
        if self._state is None:
            return
        with self._state.lock:
            changes = Changes()
            for table in self._tables:
                table.collect(changes)
            settings = _settings(self._state)
            changed = [(name, value) for name, value in settings.items() if self._settings.get(name) != value]
            if changes or changed:
                try:
                    self._write(changes, [(name, _dumps(value)) for name, value in changed])
                except BaseException:
                    for table in self._tables:
                        table.rewrite()
                    raise
                self._settings = settings

    def _write(self, changes: Changes, settings: list[tuple[str, str]]) -> None:
        run = self._connection.execute
        run("BEGIN")
        try:
            for kind in changes.cleared:
                run("DELETE FROM records WHERE kind = ?", (kind,))
            for kind, key in changes.removed:
                run("DELETE FROM records WHERE kind = ? AND key = ?", (kind, _saved_key(key)))
            for kind, key, record in changes.written:
                self._position += 1
                run(_UPSERT, (kind, _saved_key(key), self._position, _dumps(_converter.unstructure(record))))
            for setting in settings:
                run("INSERT OR REPLACE INTO settings VALUES (?, ?)", setting)
            run("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # the first error says what is wrong
                run("ROLLBACK")
            raise

    def close(self) -> None:
        """Save, and close the file; further calls have no effect."""
        if self._state is not None:
            with self._state.lock:
                self.save()
                self._connection.close()
                self._state = None


@attrs.frozen
class _SavingApp:
    """An ASGI app that saves the state before each response begins.

    Attributes:
        app: the app that answers.
        save: saves what changed; cheap if nothing did.
    """

    app: ASGIApp
    save: Callable[[], None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        scope.setdefault("state", {})[_SAVE] = self.save
        is_saved = False

        async def send_saved(message: Message) -> None:
            nonlocal is_saved
            if message["type"] == "http.response.start":
                self.save()
                is_saved = True
            await send(message)

        try:
            await self.app(scope, receive, send_saved)
        finally:
            if not is_saved:  # the client may have gone
                self.save()


def save_now(scope: Scope) -> None:
    """Save what the request of this scope has changed, if there is a file: its response is late, or never comes."""
    save: Callable[[], None] | None = scope.get("state", {}).get(_SAVE)
    if save is not None:
        save()


def _saved_key(key: object) -> int | str:
    """Return a key as SQLite stores it: an int or str as it is, a tuple as JSON."""
    return key if isinstance(key, int | str) else _dumps(key)


def _loaded_key(key: int | str, hint: object) -> object:
    return tuple(json.loads(str(key))) if get_origin(hint) is tuple else key


@cache
def _collections() -> list[tuple[str, GenericAlias]]:
    """Return the names and types of the dicts and lists of records in a state, except those derived from others."""
    hints = get_type_hints(SandboxState)
    fields = [field for field in attrs.fields(SandboxState) if field.metadata.get("stored", True)]
    return [
        (field.name, hints[field.name])
        for field in fields
        if get_origin(hints[field.name]) in {dict, list} and attrs.has(get_args(hints[field.name])[-1])
    ]


@cache
def _setting_names() -> list[str]:
    hints = get_type_hints(SandboxState)
    names = [field.name for field in attrs.fields(SandboxState) if not field.name.startswith("_")]
    return [
        name
        for name in names
        if {*get_args(hints[name]), hints[name]} & {bool, int, float, str}
        and get_origin(hints[name]) not in {dict, list, set}
    ]


def _settings(state: SandboxState) -> dict[str, object]:
    """Return all that is not a collection of records, as JSON can write it, without sharing mutable values."""
    return {
        **{name: getattr(state, name) for name in _setting_names()},
        "clock": state.clock.position(),
        "counters": state.counters(),
        "api_keys": dict(state.api_keys),
        "blacklist": list(state.blacklist),
    }
