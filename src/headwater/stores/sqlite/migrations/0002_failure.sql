-- A stream can end as failed.
ALTER TABLE streams ADD COLUMN failure TEXT;
