"""Durable Streams' own conformance suite for clients, from a copy of it that is not part of this tree.

suite   runs it with an adapter, and compares what failed with what is known and explained
server  a Headwater with the faults that the suite asks for, in place of the reference server
"""
