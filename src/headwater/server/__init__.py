"""The standalone server: `headwater serve` on uvicorn.

settings     every setting, from flags, environment and a TOML file
connections  uvicorn's HTTP protocol with limits on a request's head
run          start, drain, stop
"""
