"""The load of `headwater bench`: processes with many readers, and one that publishes.

plan           what is to be done, and its bounds
run            starts, drives and ends the processes
worker         the processes' entry
messages       what the processes tell each other
hall           a process of readers
reader         one of them, over SSE
socket_reader  one of them, over WebSocket
publisher      the process that publishes
meter          progress, told now and then
histogram      times, counted
strain         how busy a process was
outcome        the figures of a run

Rule: a worker process prints one message a line on stdout, and ends when its stdin does.
"""
