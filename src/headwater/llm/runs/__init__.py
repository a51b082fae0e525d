"""Runs: the answers of models as streams, which belong to no request.

runs        start, stop, find
start       who produces a run and whose it is, before its log
production  from a source to a log that always ends
appends     parts as bodies, none larger than the hub takes
sources     what a source may be
pump        items in groups, one append under way at a time
pacing      the rests between appends
index       whose a run is, keys, conversations
layout      the streams of each run
leases      what becomes of runs whose process is gone
shutdown    the end of running runs when their process stops
idle_stop   runs that stop when nobody watches
"""
