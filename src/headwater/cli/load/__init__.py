"""The load of `headwater bench`: processes with many readers, and one that publishes.

plan      what is to be done, and its bounds     answers    HTTP/1.1 answers, without I/O
messages  what the processes tell each other     histogram  times, counted
reading   a process of readers                   publishing the process that publishes
strain    how busy a process was                 meter      progress, told now and then
worker    the processes' entry                   run        starts, drives and ends them
outcome   the figures of a run

Rule: a worker process prints one message a line on stdout, and ends when its stdin does.
"""
