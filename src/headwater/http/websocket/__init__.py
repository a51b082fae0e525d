"""The WebSocket door: connections with many streams and both ways, and streams at their own URLs.

door           the requests that become WebSockets
shared         what all connections of a service share
talk           what both kinds of connections have in common
session        one connection of `-/connect`
subprotocol    what all connections of a subprotocol share
operations     what each of its messages does
reads, writes  those that ask once, and those that write
signals        the one that is stored nowhere
here           who is there
stay           what others see of a connection while it lives
arguments      what messages say, checked
rights         what the client may do
answers        messages that are begun when they are allowed, and answered
requests       messages under way: how many, in which order
warned         connections that were told to send less
patience       how long a client is waited for
expiry         access that is asked about again while a connection lives
telling        how subscriptions are told
wires          how connections are, by what was agreed on
single         one stream at its own URL
sink           a socket's transport: frames both ways
"""
