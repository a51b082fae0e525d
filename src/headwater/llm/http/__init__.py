"""Runs over HTTP.

chat      routes for chat clients
runs      routes for runs by their ids
routes    what the routes share
access    who asks for a run, and what they may do with it
delivery  a run to one more reader
errors    refusals in the words of the client
"""
