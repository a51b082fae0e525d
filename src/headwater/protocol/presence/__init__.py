"""Presence: who is at a stream, as one process knows it; sans I/O, fed with events and a time.

room       one stream's room: who joins, changes, leaves, is lost or silent, and what is told of it
members    a member and its connections
claim      who somebody says to be, and whether a member is theirs
due        what is due next: graces, leases
frames     what readers are told, and its bytes
keys       the secret by which a member is held
requests   what a request asks of a room
rules      limits and times
"""
