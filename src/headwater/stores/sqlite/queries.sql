-- Every query of the store, by name. Rule: one statement a block, a comment that says what it answers or keeps.
-- In the blocks marked "many", the group after VALUES is repeated as often as there are rows.

-- name: store
-- The largest number ever given to a stream, and the seconds by which the clock was set.
SELECT last_incarnation, drift FROM store

-- name: set_last_incarnation
-- Kept in the transaction that adds the streams.
UPDATE store SET last_incarnation = ?

-- name: stream_at
-- The stream at a path, soft-deleted ones too.
SELECT incarnation, path, config, lineage, created_at, touched_at, earliest, tail,
       closed, closed_by, last_seq, deleted, forks, source, failure, appended_at
FROM streams WHERE path = ?

-- name: streams_at
-- The streams at many paths, which are a JSON array.
SELECT incarnation, path, config, lineage, created_at, touched_at, earliest, tail,
       closed, closed_by, last_seq, deleted, forks, source, failure, appended_at
FROM streams WHERE path IN (SELECT value FROM json_each(?))

-- name: stream_numbered
-- The same by its number.
SELECT incarnation, path, config, lineage, created_at, touched_at, earliest, tail,
       closed, closed_by, last_seq, deleted, forks, source, failure, appended_at
FROM streams WHERE incarnation = ?

-- name: states_numbered
-- What appends and the upkeep change of streams whose numbers are a JSON array.
SELECT incarnation, path, earliest, tail, closed, deleted, forks
FROM streams WHERE incarnation IN (SELECT value FROM json_each(?))

-- name: path_of
-- Where a stream is, by its number; for the sources of forks.
SELECT path FROM streams WHERE incarnation = ?

-- name: streams_after
-- A page of streams in byte order of their paths, for lists.
SELECT incarnation, path, config, lineage, created_at, touched_at, earliest, tail,
       closed, closed_by, last_seq, deleted, forks, source, failure, appended_at
FROM streams WHERE path >= ? AND path > ? AND NOT deleted ORDER BY path LIMIT ?

-- name: save_streams
-- Many. Add streams, or keep what changed of them. A look of retention at 0 is for a stream that has none planned.
INSERT INTO streams (incarnation, path, config, lineage, created_at, touched_at, earliest, tail,
                     closed, closed_by, last_seq, deleted, forks, source, expires, look_at, failure, appended_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (incarnation) DO UPDATE SET
    touched_at = excluded.touched_at, earliest = excluded.earliest, tail = excluded.tail,
    closed = excluded.closed, closed_by = excluded.closed_by, failure = excluded.failure,
    last_seq = excluded.last_seq, appended_at = excluded.appended_at,
    deleted = excluded.deleted, forks = excluded.forks, expires = excluded.expires,
    look_at = CASE excluded.look_at WHEN 0 THEN coalesce(streams.look_at, 0) ELSE excluded.look_at END

-- name: drop_stream
-- Free the path; what it leaves behind is in `purges`.
DELETE FROM streams WHERE incarnation = ?

-- name: insert_records
-- Many. New records.
INSERT INTO records (incarnation, position, at, data, told, principal) VALUES (?, ?, ?, ?, ?, ?)

-- name: insert_large
-- Many. The data of new records that are large.
INSERT INTO large (incarnation, position, data) VALUES (?, ?, ?)

-- name: records_from
-- Records from the one that contains a position on: those that begin before another position, at most so many. Without
-- times, and 0 for each; without who appended them.
SELECT position, CASE length(data) WHEN 0 THEN coalesce((
    SELECT large.data FROM large WHERE large.incarnation = records.incarnation AND large.position = records.position
), data) ELSE data END, 0, NULL FROM records
WHERE incarnation = ?
  AND position >= (SELECT coalesce(max(position), 0) FROM records WHERE incarnation = ? AND position <= ?)
  AND position < ?
ORDER BY position LIMIT ?

-- name: timed_records_from
-- The same with times and who appended them.
SELECT position, CASE length(data) WHEN 0 THEN coalesce((
    SELECT large.data FROM large WHERE large.incarnation = records.incarnation AND large.position = records.position
), data) ELSE data END,
       coalesce(told, CAST(at * 1000 + 0.5 AS INTEGER)), principal
FROM records
WHERE incarnation = ?
  AND position >= (SELECT coalesce(max(position), 0) FROM records WHERE incarnation = ? AND position <= ?)
  AND position < ?
ORDER BY position LIMIT ?

-- name: values_from
-- The same of a JSON stream, in one row: where the first and the last one begin, how many there are, and
-- their data with a line break between two.
-- The aggregate sees the rows in the order of the inner query.
SELECT min(position), max(position), count(*), CAST(group_concat(CAST(data AS TEXT), char(10)) AS BLOB), NULL FROM (
    SELECT position, CASE length(data) WHEN 0 THEN coalesce((
        SELECT large.data FROM large WHERE large.incarnation = records.incarnation AND large.position = records.position
    ), data) ELSE data END AS data FROM records
    WHERE incarnation = ?
      AND position >= (SELECT coalesce(max(position), 0) FROM records WHERE incarnation = ? AND position <= ?)
      AND position < ?
    ORDER BY position LIMIT ?
)

-- name: timed_values_from
-- The same with times, each with who appended the record directly behind it, where that is known, and a comma between
-- two. An aggregate more, or a separator of its own, would take a fifth of the read where nobody is named.
SELECT min(position), max(position), count(*), CAST(group_concat(CAST(data AS TEXT), char(10)) AS BLOB), group_concat(told)
FROM (
    SELECT position, coalesce(told || principal, told, CAST(at * 1000 + 0.5 AS INTEGER)) AS told,
        CASE length(data) WHEN 0 THEN coalesce((
        SELECT large.data FROM large WHERE large.incarnation = records.incarnation AND large.position = records.position
    ), data) ELSE data END AS data FROM records
    WHERE incarnation = ?
      AND position >= (SELECT coalesce(max(position), 0) FROM records WHERE incarnation = ? AND position <= ?)
      AND position < ?
    ORDER BY position LIMIT ?
)

-- name: producer
-- What is known of a producer in a stream.
SELECT epoch, seq, used FROM producers WHERE incarnation = ? AND producer_id = ?

-- name: save_producers
-- Many. Producers' new states.
INSERT INTO producers (incarnation, producer_id, epoch, seq, used) VALUES (?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq, used = excluded.used

-- name: count_producers
-- How many producers a stream has.
SELECT count(*) FROM producers WHERE incarnation = ?

-- name: producers_of
-- All of them, to choose who is forgotten.
SELECT producer_id, epoch, seq, used FROM producers WHERE incarnation = ?

-- name: drop_producer
-- Forget one.
DELETE FROM producers WHERE incarnation = ? AND producer_id = ?

-- name: add_to_journal
-- The appends of a batch. Numbers begin again with 1 when the journal is empty.
INSERT INTO journal (entry) VALUES (?)

-- name: journal_entries
-- What is in no other table, in the order of the commits.
SELECT entry FROM journal ORDER BY number

-- name: clear_journal
-- All of it is in the other tables.
DELETE FROM journal

-- name: expired
-- Streams whose time is over, the longest first.
SELECT path FROM streams WHERE expires <= ? ORDER BY expires LIMIT ?

-- name: shift
-- The clock was set: streams with a TTL go with it.
UPDATE streams SET touched_at = touched_at + ?, expires = expires + ?
WHERE expires IS NOT NULL AND json_extract(config, '$.expiry.ttl') IS NOT NULL

-- name: drift
-- The clock was set: what has an age does not go with it.
UPDATE store SET drift = drift + ?

-- name: looks_due
-- Streams that retention must look at, the longest due first.
SELECT path FROM streams WHERE look_at <= ? AND NOT deleted ORDER BY look_at LIMIT ?

-- name: look_again
-- When retention must look at a stream next.
UPDATE streams SET look_at = ? WHERE incarnation = ?

-- name: newest_edge
-- Where the record begins that has so many after it.
SELECT position FROM records WHERE incarnation = ? ORDER BY position DESC LIMIT 1 OFFSET ?

-- name: starts_before
-- Where the last records begin, from a position on and before another one, the last first. Reads no data.
SELECT position FROM records WHERE incarnation = ? AND position >= ? AND position < ? ORDER BY position DESC LIMIT ?

-- name: edge_at_or_after
-- Where the first record begins that does not start before a position.
SELECT position FROM records WHERE incarnation = ? AND position >= ? ORDER BY position LIMIT 1

-- name: younger_edge
-- Where the first record begins, from a position on, that was appended after a time. Reads only what is older.
SELECT position FROM records WHERE incarnation = ? AND position >= ? AND at > ? ORDER BY position LIMIT 1

-- name: appended_at
-- When the first record was appended that does not start before a position.
SELECT at FROM records WHERE incarnation = ? AND position >= ? ORDER BY position LIMIT 1

-- name: add_purge
-- Leave records before a position to the sweep.
INSERT INTO purges (incarnation, before) VALUES (?, ?)
ON CONFLICT DO UPDATE SET before = max(before, excluded.before)

-- name: purges_ready
-- Work of the sweep. A trimmed stream with forks waits: they may read what lies before its own earliest position.
SELECT purges.incarnation, before FROM purges LEFT JOIN streams USING (incarnation)
WHERE coalesce(forks, 0) = 0 LIMIT ?

-- name: first_record
-- Where the oldest record begins that is to be purged.
SELECT position FROM records WHERE incarnation = ? AND position < ? ORDER BY position LIMIT 1

-- name: record_after
-- Where the record begins that has so many to be purged before it.
SELECT position FROM records WHERE incarnation = ? AND position < ? ORDER BY position LIMIT 1 OFFSET ?

-- name: purge_records
-- One slice of a stream's records.
DELETE FROM records WHERE incarnation = ? AND position < ?

-- name: purge_large
-- The data of large ones among them.
DELETE FROM large WHERE incarnation = ? AND position < ?

-- name: producer_after
-- The producer that has so many to be purged before it.
SELECT producer_id FROM producers WHERE incarnation = ? ORDER BY producer_id LIMIT 1 OFFSET ?

-- name: purge_producers
-- One slice of a dropped stream's producers.
DELETE FROM producers WHERE incarnation = ? AND producer_id < ?

-- name: purge_all_producers
-- The last slice of them.
DELETE FROM producers WHERE incarnation = ?

-- name: purge_done
-- The work is done, unless more came meanwhile.
DELETE FROM purges WHERE incarnation = ? AND before = ?

-- name: count_streams
-- How many streams there are, soft-deleted ones left out. Reads the whole table.
SELECT count(*) FROM streams WHERE NOT deleted
