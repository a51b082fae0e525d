"""Presence in this process: the rooms of all streams, and the ways in.

rooms        all of them: who joins and leaves, and when readers are told
attendance   a connection of a member that has an owner: a reader, a socket, a program
calls        what a program can ask of a room
"""
