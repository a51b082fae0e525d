"""The live readers of a hub: they are told records as they come. docs/explanation/delivery.md has the picture.

readers             all of them: how one comes, and how all are let go
arrival             one that was looked for, or has come, and is not pushed or pulled yet
waiting, admission  one that came before its stream, and how it is let in
pushed              one that is written to: a channel of a connection
pulled              one whose caller asks for the next event
follower            what both are to their stream, and what is shown of them
cursor, conflation  a reader's place: the next events, and what its policy leaves out
stream              a stream that is read live: its window, its groups, who waits
window              its newest records, and where its log stands
group               readers at one offset in one format: encoded once
fanout              the loop that gives the same bytes to all
first_frames        what is told to who comes and is live at once; told again to a crowd
expiry_notice       what is told of an access that ends soon
access_end          a pushed reader whose access ends
attended            readers that are members of their stream
connection          the socket of one reader, and what its channels are
shared_connection   the channels that share a socket
groupless           what a channel has that is in no group
sinks, budget       where bytes go, and what full connections hold
owned               channels of a connection with many
many                a read of many streams
subscriptions       streams that come and go on a connection
patterns, news      who is told of new streams, and how many in one turn of the loop
ephemeral, events   what is told to live readers and kept in no log
event_reader        a loop in this process that takes it
cursors             when reads of many streams are told where they stand
wire_format         how a reader's records are encoded, framed and coded
flushing            when groups are given what is new
heartbeats          what keeps silent readers alive
watched             streams that are in use
introspection       readers as shown, each one and counted
runtime             what all of them share
"""
