"""Benchmarks: `python -m benchmarks NAME`. The method and its limits are in docs/benchmarks.md.

tools      what must be built and installed first    machine   where the numbers come from
servers    servers as processes                      readback  what a server has stored
appends    durable appends per second                load, results, report: its runs, medians and table
fanout     live fan-out                              connects  what one connect costs
storm      readers cut, and back at once             isolation readers that never read
catchup    from the start of a long stream           pausing   a writer that waits for its readers
together   a thousand appends in one step
turns      runs in turns, and their tables
everything all of them                               page, svg the tables and plots in the docs
"""
