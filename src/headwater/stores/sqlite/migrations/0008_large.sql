-- The data of large records; in `records` it is empty then. A search in a table without row ids reads the whole row of
-- each key that it is compared with, however many pages that has; here it reads an index of the keys alone.
CREATE TABLE large (
    incarnation INTEGER NOT NULL,
    position    INTEGER NOT NULL,
    data        BLOB    NOT NULL,
    PRIMARY KEY (incarnation, position)
) STRICT;
-- Those of older files stay where they are until they are purged: to move them would take as long as to copy the file.
