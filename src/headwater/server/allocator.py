"""What the C library keeps of memory that is free again.

glibc gives a large block back to the system when it is freed, until one of them was freed: then its threshold grows to
that size, up to 32 MiB, and blocks below it come from a heap that keeps holes (mallopt(3), "M_MMAP_THRESHOLD"). Sixty
bodies of 16 MB that arrive slowly then cost twice what they hold. A threshold that is set stays where it is.
"""

from __future__ import annotations

import ctypes
import os
import platform
from typing import Final

# malloc.h of glibc. Both are bytes.
M_TRIM_THRESHOLD: Final = -1
M_MMAP_THRESHOLD: Final = -3
VARIABLES: Final = {M_TRIM_THRESHOLD: "MALLOC_TRIM_THRESHOLD_", M_MMAP_THRESHOLD: "MALLOC_MMAP_THRESHOLD_"}

# A record in flight, a piece of a long read (1 MiB), its frame and a buffer of a socket stay below it, and are recycled
# in the heap; larger bodies, batches and windows are mapped each for itself. Mapped, each piece is new pages to the
# kernel: a long read then takes three times its CPU time.
MAPPED_FROM: Final = 2 * 1024 * 1024
# What a heap may have free at its end before that goes back too: more than the pieces of a long read that are in memory
# at once (as rows, as values, as a frame). With less, each piece is new pages again, and a long read takes a third more
# CPU time. There is a heap for each of the few threads.
TRIMMED_FROM: Final = 4 * 1024 * 1024


def return_freed_memory() -> list[int]:
    """Have large blocks go back to the system as soon as they are free.

    Does nothing without glibc. A variable of the environment that says otherwise is left to say it.

    Returns:
        Which parameters were set.
    """
    if platform.libc_ver()[0] != "glibc":
        return []
    wanted = {M_MMAP_THRESHOLD: MAPPED_FROM, M_TRIM_THRESHOLD: TRIMMED_FROM}
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return []
    return [name for name, value in wanted.items() if VARIABLES[name] not in os.environ and mallopt(name, value) == 1]
