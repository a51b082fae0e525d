"""Who reads with which proof, and what ends when a proof does.

proven       an access, with the proof that it came from
live_proofs  one of the proofs by which something lives
principals   the proofs by which something lives, and what ends them
end          how it ends: hushed at once, told in turns
revocations  what was taken back
revoked_log  the same in the store
sessions     what browsers' cookies stand for, in the store
tickets      what a page shows in a URL, once
bounds       how often one principal, and one address, may do something
refusals     what is refused and taken back, for the log
calls        what a program can take back
"""
