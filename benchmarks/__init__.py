"""Benchmarks: `python -m benchmarks NAME`. See README.md for the method and its limits.

tools    what must be built and installed first    machine  where the numbers come from
servers  the servers that are compared             load     one run of the load generator
readback what a server has stored                  results  medians and files
appends  durable appends per second                report   its table
fanout   live fan-out over SSE
"""
