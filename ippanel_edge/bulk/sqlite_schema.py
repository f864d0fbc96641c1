"""The tables of a ledger in SQLite, and the view `report` for people who read the file with other programs."""

from __future__ import annotations

from typing import Final

VERSION: Final = 1

SCHEMA: Final = """
CREATE TABLE campaign (
    from_number TEXT NOT NULL,
    kind TEXT NOT NULL,         -- one_text, own_text or pattern
    message TEXT,               -- the text or the template
    pattern TEXT,
    params TEXT,                -- JSON: the column of each variable of the pattern
    send_time TEXT,             -- ISO 8601, UTC
    one_per_number INTEGER NOT NULL,
    created_at TEXT NOT NULL
);
CREATE TABLE loads (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,       -- the name of the file
    started_at TEXT NOT NULL,
    finished_at TEXT,           -- NULL: not part of the campaign
    rows INTEGER NOT NULL DEFAULT 0,
    duplicates INTEGER NOT NULL DEFAULT 0,
    already_loaded INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE rows (
    id INTEGER PRIMARY KEY,
    load INTEGER NOT NULL,
    line INTEGER NOT NULL,
    recipient TEXT NOT NULL,    -- E.164
    content TEXT,               -- the text of the row or the values of the pattern; NULL: the text of the campaign
    hash INTEGER NOT NULL,      -- of recipient and content, to find duplicates
    state TEXT,                 -- NULL: the state of its chunk
    message_outbox_id INTEGER,  -- NULL: that of its chunk
    delivery TEXT
);
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY,
    first_row INTEGER NOT NULL,
    last_row INTEGER NOT NULL,
    rows INTEGER NOT NULL,      -- fewer than last_row - first_row + 1 where duplicates were left out
    method TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending',
    message_outbox_id INTEGER,  -- of a message to all rows
    message_outbox_ids TEXT,    -- JSON, if they are neither one for all rows nor one for each row
    error TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    claim TEXT,                 -- the last attempt to send it
    sending_at TEXT,
    unknown_since TEXT,         -- sending_at of the first attempt with an unknown outcome that was released
    settled_at TEXT
);
CREATE TABLE set_aside (
    id INTEGER PRIMARY KEY,
    load INTEGER NOT NULL,
    line INTEGER NOT NULL,
    value TEXT NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX set_aside_line ON set_aside (line);
CREATE INDEX chunks_rows ON chunks (first_row);
CREATE INDEX chunks_state ON chunks (state, id);
CREATE INDEX chunks_message ON chunks (message_outbox_id) WHERE message_outbox_id IS NOT NULL;
CREATE INDEX chunks_messages ON chunks (id) WHERE message_outbox_ids IS NOT NULL;
CREATE INDEX rows_message ON rows (message_outbox_id) WHERE message_outbox_id IS NOT NULL;
CREATE INDEX rows_state ON rows (state) WHERE state IS NOT NULL;
CREATE INDEX rows_delivery ON rows (delivery) WHERE delivery IS NOT NULL;
CREATE VIEW report AS
SELECT
    rows.id,
    loads.source,
    rows.line,
    rows.recipient,
    rows.content,
    chunks.id AS chunk,
    coalesce(rows.state, chunks.state) AS state,
    coalesce(rows.message_outbox_id, chunks.message_outbox_id) AS message_outbox_id,
    CASE WHEN rows.state IS NULL THEN chunks.error END AS error,
    rows.delivery
FROM chunks
JOIN rows ON rows.id BETWEEN chunks.first_row AND chunks.last_row
JOIN loads ON loads.id = rows.load
"""
