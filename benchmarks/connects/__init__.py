"""What one connect costs: `python -m benchmarks connects`.

command  what is measured, in which order     servers   what is compared
requests what is asked, and the fixed bytes   trial     one run of one server
"""
