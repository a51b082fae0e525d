"""Appends that survive a restart of the program.

outbox         `Outbox`: what is appended to it is kept until its fate is told
lane           what waits for one stream, and how it is sent
verdicts       what an answer means for a batch
store          where records are kept: a file of SQLite
turns          of all processes over one file, one sends
fates          what becomes of a record
"""
