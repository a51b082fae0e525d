"""Live fan-out: `python -m benchmarks fanout`, and what all benchmarks of delivery share.

command  what is measured, in which order     servers   what is compared, and how each is published to
nginx    Nchan, or a file, in an nginx        peers     what the peers need installed
shapes   numbers of readers and records       publisher one connection, at a pace
readers  the C process with all the readers   usage     CPU time and memory of processes
trial    one run of one server
"""
