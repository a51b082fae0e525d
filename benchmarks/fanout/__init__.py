"""Live fan-out over SSE: `python -m benchmarks fanout`.

command  what is measured, in which order     servers   what is compared, and how each is published to
nginx    Nchan and its configuration          peers     the Python environment of the peers
shapes   numbers of readers and records       publisher one keep-alive connection, at a pace
readers  the C process with all the readers   usage     CPU time and memory of processes
trial    one run of one server                results   medians and files
report   the table
"""
