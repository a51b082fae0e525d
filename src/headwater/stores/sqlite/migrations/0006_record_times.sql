-- Readers are told when a record was appended. Those of older files have the time that the file had of them, which is
-- without jumps of the clock.
ALTER TABLE records ADD COLUMN told INTEGER;
ALTER TABLE streams ADD COLUMN appended_at REAL NOT NULL DEFAULT 0;
UPDATE streams SET appended_at = coalesce(
    (SELECT round(at, 3) FROM records WHERE records.incarnation = streams.incarnation ORDER BY position DESC LIMIT 1), created_at
);
