"""Settings of this process that must be made before numba starts its threads.

Settings that the system does not have (macOS, Windows, musl) are skipped.
"""

import ctypes
import os
import sys

# Parameters of glibc's mallopt, by their number in malloc.h
TRIM_THRESHOLD = -1
MMAP_THRESHOLD = -3

KEPT = 1 << 30      # bytes of free memory that stay with the process: 1 GB
APART = 1 << 25     # larger arrays get a separate mapping: 32 MB, glibc's maximum
SPINS = "2000"      # turns of a waiting thread's loop before it sleeps: some 20 us


def prepare_process():
    """Shorten how long idle threads spin, and keep freed memory in the process.

    Between two kernels a thread spins, then sleeps. Long spinning takes the core from other work;
    sleeping at once means a wake-up for every kernel. MINILLM_MATMUL=blas alternates with BLAS,
    whose own threads need the cores, so there the threads of numba do not spin at all.

    Every layer allocates and frees arrays of some MB. Returned to the system each time, their pages
    would be mapped and cleared again: thousands of page faults per step.

    A GOMP_SPINCOUNT that the user has set is not changed.
    """
    spins = "0" if os.environ.get("MINILLM_MATMUL") == "blas" else SPINS
    os.environ.setdefault("GOMP_SPINCOUNT", spins)
    if sys.platform == "linux":
        keep_freed_memory()


def keep_freed_memory():
    """Raise glibc's thresholds for returning memory; musl has no mallopt."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(TRIM_THRESHOLD, KEPT)
    mallopt(MMAP_THRESHOLD, APART)
