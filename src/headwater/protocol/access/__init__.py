"""Who may do what, without I/O: grants, decisions, and what a token's claims give.

patterns  the paths of a grant
grants    what is granted, and whether something is
identity  who somebody is, and until when
kept      an access as it is written down
cookies   the cookie of a session
claims    a token's claims into that
"""
