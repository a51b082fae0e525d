"""Whether a file is whole: SQLite's own check, and then every promise that a store makes, record by record.

check      all of it, on one snapshot
report     what was found, and how far it is
snapshot   the file, opened so that it cannot change
walk       rows of a table over places that cannot be read
contents   what the tables should have of each stream, one after the other
streams    a row of `streams` alone
records    the records of one stream
producers  its producers
forks      what forks have of others, and who belongs to nobody
entries    the journal
"""

from __future__ import annotations

from headwater.stores.sqlite.checkup.check import check_file
from headwater.stores.sqlite.checkup.report import Finding, NotAStore, Progress, Report

__all__ = ["Finding", "NotAStore", "Progress", "Report", "check_file"]
