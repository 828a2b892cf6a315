"""What a long run asks of the operating system, before the first kernel starts its threads."""

import ctypes
import os
import sys

# glibc's numbers for mallopt: how much free memory stays at the heap's end, and which arrays are not of the heap
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
KEPT, APART = 1 << 30, 1 << 25  # bytes; 32 MB is the largest that glibc takes for the second


def ready_machine():
    """Let threads wait for the next kernel shortly, and freed memory stay with the process.

    A thread that spins for long takes the core from other work; one that sleeps at once has to be woken for
    every kernel. With MINILLM_MATMUL=blas the other work is BLAS, whose own threads want the cores in between: there
    none spins. Arrays of some MB are made and dropped in every layer: handed back to the system each time,
    their pages would have to be found and cleared again, thousands a step.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "0" if os.environ.get("MINILLM_MATMUL") == "blas" else "2000")
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc has it, musl has not
        if mallopt is not None:
            mallopt(TRIM_THRESHOLD, KEPT)
            mallopt(MMAP_THRESHOLD, APART)
