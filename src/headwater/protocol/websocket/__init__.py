"""WebSocket, sans I/O: the handshake, the frames, and the messages of many streams on one connection.

handshake         the request that becomes a WebSocket
frames            what a server sends, as bytes
agreed            what is agreed on in the handshake
deflate           messages that are compressed
assembly          messages out of the frames that a client sends
layouts           reads of many frames that are laid out as one before
closes            how connections end
start             where a message wants a read to begin
messages          the messages of a connection: the one table
client_messages, server_messages  what each side sends
codec, codec_msgpack, codec_protobuf  how they are encoded, by subprotocol
codecs            all of these
schema            the numbers of their fields, and what each holds
protobuf          messages of Protobuf as bytes, and back
ephemeral         signals and who is there, as messages
stream_messages   the encoder of one stream's messages
single, bare      a stream at its own URL: what is asked for, and how it is told
"""
