-- The newest schema, for a new file. An older file gets here by migrations/NNNN_*.sql, one number at a time.
-- Needs SQLite 3.37 (STRICT tables). Times are seconds since the Unix epoch; positions count bytes of record data.

-- One row: what must outlive the rows of the other tables.
CREATE TABLE store (
    -- Numbers given to streams only grow, also over a delete and a restart: offsets are made of them.
    last_incarnation INTEGER NOT NULL,
    -- Seconds by which the clock was set while the store was open. Times of records and producers are without them.
    drift            REAL    NOT NULL DEFAULT 0
) STRICT;
INSERT INTO store (last_incarnation) VALUES (0);

-- One row a stream, soft-deleted ones too. `config` and `lineage` are JSON and never change.
CREATE TABLE streams (
    incarnation INTEGER PRIMARY KEY,
    path        TEXT    NOT NULL UNIQUE,
    config      TEXT    NOT NULL,
    lineage     TEXT    NOT NULL,
    created_at  REAL    NOT NULL,
    touched_at  REAL    NOT NULL,
    earliest    INTEGER NOT NULL,
    tail        INTEGER NOT NULL,
    closed      INTEGER NOT NULL,
    closed_by   TEXT,
    last_seq    TEXT,
    deleted     INTEGER NOT NULL,
    forks       INTEGER NOT NULL,
    source      INTEGER NOT NULL,
    -- When it expires, as far as the file knows: reads move it in memory first.
    expires     REAL,
    -- When retention must look at it next; NULL: nothing to look for until the next append.
    look_at     REAL,
    -- JSON: why it was closed before it was complete; NULL: it is complete, or open.
    failure     TEXT,
    -- `told` of its last record, in seconds.
    appended_at REAL    NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX streams_expires ON streams (expires) WHERE expires IS NOT NULL;
CREATE INDEX streams_look_at ON streams (look_at) WHERE look_at IS NOT NULL;

-- A stream's own records. `at` is without jumps of the clock, for ages; it comes before `data`, so that
-- retention by age reads no overflow page.
CREATE TABLE records (
    incarnation INTEGER NOT NULL,
    position    INTEGER NOT NULL,
    at          REAL    NOT NULL,
    -- What readers are told, in milliseconds: with jumps of the clock, never before the record in front, and never
    -- changed. NULL in records of older files: `at` is told.
    told        INTEGER,
    -- Who appended it, as JSON: a subject of the application's own, or an issuer and a subject. NULL: nobody said.
    principal   TEXT,
    data        BLOB    NOT NULL,
    PRIMARY KEY (incarnation, position)
) STRICT, WITHOUT ROWID;

-- The data of large records; in `records` it is empty then. A search in a table without row ids reads the whole row of
-- each key that it is compared with, however many pages that has; here it reads an index of the keys alone.
CREATE TABLE large (
    incarnation INTEGER NOT NULL,
    position    INTEGER NOT NULL,
    data        BLOB    NOT NULL,
    PRIMARY KEY (incarnation, position)
) STRICT;

-- The newest epoch of each idempotent producer, and its last sequence.
CREATE TABLE producers (
    incarnation INTEGER NOT NULL,
    producer_id TEXT    NOT NULL,
    epoch       INTEGER NOT NULL,
    seq         INTEGER NOT NULL,
    -- When that sequence was accepted.
    used        REAL    NOT NULL DEFAULT 0,
    PRIMARY KEY (incarnation, producer_id)
) STRICT, WITHOUT ROWID;

-- The appends of the last commits, one row each, which the tables above do not have yet; see journal.py.
CREATE TABLE journal (
    number INTEGER PRIMARY KEY,
    entry  BLOB NOT NULL
) STRICT;

-- Work left for the sweep: records before a position that nothing reads any more.
-- The largest integer stands for all of a dropped stream, with its producers.
CREATE TABLE purges (
    incarnation INTEGER PRIMARY KEY,
    before      INTEGER NOT NULL
) STRICT;
