"""Presence in this process: the rooms of all streams, and the ways in.

rooms        all of them: who joins and leaves, and when readers are told
attendance   a connection of a member that has an owner: a reader, a socket, a program
calls        what a program can ask of a room

A transport with connections of its own, such as a WebSocket, makes an `Attendance` for each stream that its client is
at: `rooms.attend(path, Entering(claim_of(id, key, subject), state=state_of(text)), leased=True)`. Then `join`, `heard`
with each message of the client, `change`, `leave`, and `lost` when it is gone. What a request says is read by
`protocol.presence.requests`. Its readers are told through a wire format with the kind `presence`.
"""
