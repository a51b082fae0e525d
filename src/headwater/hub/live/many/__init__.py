"""Many streams on one connection: each a channel of its own, and one cursor of all.

asked      what is read, and who asks
arrival    a read that has come
reader     the read as a whole: opens its streams one after the other, tells the cursor, ends
slot       one stream of it, from when it is wanted to its end
channel    the channel of a stream that is there
matches    the streams that match one of its patterns
silence    when it tells that it lives
standing   which reads stand at the same place
page       the read that does not go on: one page of all
"""
