-- Producers are forgotten when they were idle for long; those of older files count as used when their stream was.
ALTER TABLE producers ADD COLUMN used REAL NOT NULL DEFAULT 0;
UPDATE producers SET used = coalesce(
    (SELECT touched_at FROM streams WHERE streams.incarnation = producers.incarnation), 0
);
