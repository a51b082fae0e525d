-- A record has who appended it. Of those of older files nobody knows.
ALTER TABLE records ADD COLUMN principal TEXT;
