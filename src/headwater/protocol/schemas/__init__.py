"""What the records of a stream must be: types of Python and JSON Schemas, by pattern of path.

base      what a schema is, and what does not fit one
types     types of msgspec and of pydantic, and classes of Protobuf's messages
plain     which types run nothing that an application wrote
jsons     JSON Schema
registry  which stream has which

Rule: a schema looks at records, and changes none. What fits is stored with the bytes with which it came.
"""
