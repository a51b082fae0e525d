"""The WebSocket door: connections with many streams and both ways, and streams at their own URLs.

door           the requests that become WebSockets
session        one connection of `-/connect`
operations     what each of its messages does
requests       messages under way: how many, in which order
expiry         access that ends while a connection lives
telling        how subscriptions are told
single         one stream at its own URL
sink           a socket's transport: frames both ways
"""
