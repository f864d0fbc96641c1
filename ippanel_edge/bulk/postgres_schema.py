"""The tables of the ledgers in PostgreSQL, in the schema `ippanel_edge`, and the view `report` for users of psql."""

from __future__ import annotations

from typing import Final, LiteralString

from psycopg import AsyncConnection

from ippanel_edge.bulk.records import CampaignError

VERSION: Final = 1

_LOCK: Final = 0x4950456453
"""The advisory lock of those who create the tables: "IPEdS"."""

_SCHEMA: Final[LiteralString] = """
CREATE SCHEMA IF NOT EXISTS ippanel_edge;
CREATE TABLE ippanel_edge.version (version integer NOT NULL);
CREATE TABLE ippanel_edge.campaigns (
    id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL UNIQUE,
    from_number text NOT NULL,
    kind text NOT NULL,             -- one_text, own_text or pattern
    message text,                   -- the text or the template
    pattern text,
    params text,                    -- JSON: the column of each variable of the pattern
    send_time timestamptz,
    one_per_number boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE ippanel_edge.loads (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    campaign integer NOT NULL REFERENCES ippanel_edge.campaigns,
    token text NOT NULL UNIQUE,     -- identifies the load if the connection breaks during its commit
    source text NOT NULL,           -- the name of the file
    finished_at timestamptz NOT NULL DEFAULT now(),
    rows bigint NOT NULL,
    duplicates bigint NOT NULL,
    already_loaded bigint NOT NULL
);
CREATE TABLE ippanel_edge.chunks (
    campaign integer NOT NULL REFERENCES ippanel_edge.campaigns,
    id bigint NOT NULL,             -- from 1 in each campaign
    first_row bigint NOT NULL,
    last_row bigint NOT NULL,
    rows integer NOT NULL,
    method text NOT NULL,
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sending', 'sent', 'rejected', 'unknown')),
    message_outbox_id bigint,       -- of a message to all rows
    message_outbox_ids bigint[],    -- if they are neither one for all rows nor one for each row
    error text,
    attempts integer NOT NULL DEFAULT 0,
    claim text,                     -- the last attempt to send it
    worker bigint,                  -- the advisory lock of the worker that claimed it
    sending_at timestamptz,
    unknown_since timestamptz,      -- sending_at of the first attempt with an unknown outcome that was released
    settled_at timestamptz,
    PRIMARY KEY (campaign, id)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01);
CREATE TABLE ippanel_edge.rows (    -- without foreign keys, which would be checked for each of millions of rows
    campaign integer NOT NULL,
    id bigint NOT NULL,             -- from 1 in each campaign
    chunk bigint NOT NULL,
    load bigint NOT NULL,
    line bigint NOT NULL,
    recipient text NOT NULL,        -- E.164
    content text,                   -- the text of the row or the values of the pattern; NULL: the text of the campaign
    hash bigint NOT NULL,           -- of recipient and content, to find duplicates
    state text,                     -- NULL: the state of its chunk
    message_outbox_id bigint,       -- NULL: that of its chunk
    delivery text,
    PRIMARY KEY (campaign, id)
);
CREATE TABLE ippanel_edge.set_aside (
    campaign integer NOT NULL REFERENCES ippanel_edge.campaigns,
    id bigint NOT NULL,
    load bigint NOT NULL,
    line bigint NOT NULL,
    value text NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (campaign, id)
);
CREATE TABLE ippanel_edge.lines (   -- the rate of each sender line
    line text PRIMARY KEY,
    next_at timestamptz NOT NULL
);
CREATE INDEX set_aside_line ON ippanel_edge.set_aside (campaign, line);
CREATE INDEX chunks_pending ON ippanel_edge.chunks (campaign, id) WHERE state = 'pending';
CREATE INDEX chunks_sending ON ippanel_edge.chunks (campaign, worker) WHERE state = 'sending';
CREATE INDEX chunks_message ON ippanel_edge.chunks (campaign, message_outbox_id) WHERE message_outbox_id IS NOT NULL;
CREATE INDEX rows_message ON ippanel_edge.rows (campaign, message_outbox_id) WHERE message_outbox_id IS NOT NULL;
CREATE INDEX rows_state ON ippanel_edge.rows (campaign, chunk) WHERE state IS NOT NULL;
CREATE INDEX rows_delivery ON ippanel_edge.rows (campaign, delivery) WHERE delivery IS NOT NULL;
CREATE VIEW ippanel_edge.report AS
SELECT
    campaigns.name AS campaign,
    rows.id,
    loads.source,
    rows.line,
    rows.recipient,
    coalesce(rows.content, campaigns.message) AS content,
    rows.chunk,
    coalesce(rows.state, chunks.state) AS state,
    coalesce(rows.message_outbox_id, chunks.message_outbox_id) AS message_outbox_id,
    CASE WHEN rows.state IS NULL THEN chunks.error END AS error,
    rows.delivery
FROM ippanel_edge.campaigns
JOIN ippanel_edge.rows ON rows.campaign = campaigns.id
JOIN ippanel_edge.chunks ON chunks.campaign = rows.campaign AND chunks.id = rows.chunk
JOIN ippanel_edge.loads ON loads.id = rows.load;
"""


async def ensure_schema(connection: AsyncConnection, *, create: bool) -> bool:
    """Create the tables if there are none, in the caller's transaction; any number of processes may do so at once.

    Args:
        connection: a connection; the transaction is left open.
        create: whether to create them.

    Returns:
        Whether there are tables.

    Raises:
        CampaignError: the tables are of another version.
    """
    if not await _exists(connection):
        if not create:
            return False
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        if not await _exists(connection):
            await connection.execute(_SCHEMA)
            await connection.execute("INSERT INTO ippanel_edge.version VALUES (%s)", (VERSION,))
            return True
    found = await (await connection.execute("SELECT version FROM ippanel_edge.version")).fetchone()
    version = found[0] if found else None
    if version != VERSION:
        raise CampaignError(
            f"the tables in the schema ippanel_edge have version {version}, expected {VERSION}; finish the campaigns "
            "with the version of ippanel-edge that began them, or use another database",
            argument="ledger",
        )
    return True


async def _exists(connection: AsyncConnection) -> bool:
    # Not to_regclass: its cache may not have noticed yet what another connection has created.
    query = "SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = 'ippanel_edge' AND tablename = 'version'"
    return await (await connection.execute(query)).fetchone() is not None
