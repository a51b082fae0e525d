"""Who asks: credentials into an access, and the decision about what is asked.

guard        the decision: public grants, and those of who asks
proofs       what is shown, in its order, and what failed before
failures     proofs that failed, by address
ambient      proofs that a browser sends by itself
tickets      what a page shows in a URL, once
tokens       signed tokens, verified and remembered
keys         the keys of those who issue tokens
jwks         the same where their issuer publishes them
application  the application's own function
routes       every route, and what must be granted for it
"""
