"""Subscriptions: streams that come and go on one connection, each with a window of its own.

whole          all of them: the connection, and those on it
subscription   one stream, from when it is asked for to its end
wish           what one asks for, and how its reader is told
channel        the channel of a stream that is there
matched        the streams that match one pattern
"""
