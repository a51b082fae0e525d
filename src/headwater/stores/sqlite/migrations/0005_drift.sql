-- What has an age is told from the jumps of the clock.
ALTER TABLE store ADD COLUMN drift REAL NOT NULL DEFAULT 0;
