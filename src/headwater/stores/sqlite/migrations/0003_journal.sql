-- Appends to many streams are kept together first.
CREATE TABLE journal (
    number INTEGER PRIMARY KEY,
    entry  BLOB NOT NULL
) STRICT;
