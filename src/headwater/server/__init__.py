"""The standalone server: `headwater serve`, on connections of its own.

settings     every setting, from flags, environment and a TOML file
schema_files  what streams hold, by files of JSON Schema
access_files  who may do what, by keys in files
run          from settings to a server that runs
server       listen, drain, stop
listener     the sockets that are listened on
inherited    sockets that were opened for the server
allocator    memory that is free again
connection   one connection: requests one by one, and its limits
state        where a connection stands
inbound      the requests in a connection's bytes, without I/O
head_cache   request heads, parsed and remembered
body_reader  a body of which a part is missing
deadline     when something is due on a connection
exchange     one request on a connection as an exchange
wire         a connection as those see it who respond
outbound     the bytes that go out on a connection
shared       what connections share
turned_away  connections of which there are too many
proxy        `headwater llm proxy`
"""
