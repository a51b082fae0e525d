"""Many streams on one WebSocket.

connection     `Connection`: a handle, and its sockets
pace           when another socket may be tried
door           the way to a stream on a connection
link           one socket: the module that knows the library `websockets`
session        its conversation: what is asked and told, credit, who is dead
way            the messages of a stream, and what they tell
calls          requests as messages, answers as HTTP has them
closes         problems and close codes as errors
"""
