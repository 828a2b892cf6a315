"""The three matrix products of a linear layer as sides that take turns: minillm's and NumPy's.  PyTorch's: pytorch.py.

A linear layer takes y = x W^T forward, dx = dy W and dW = dy^T x backward.
"""

import math
import time

import numba
import numpy as np
from host import describe_blas, thread_count
from turns import Clocked

from minillm.kernels.bfloat16 import to_bfloat16, to_float32
from minillm.kernels.lanes import MR, VECTOR_BYTES
from minillm.kernels.matmul import matmul_nn, matmul_nt, matmul_tn
from minillm.kernels.tile import micro_kernel

DEPTH = 192         # steps of k of the micro-kernel alone: its panels stay in the first-level cache
PRODUCTS = {"x W^T": matmul_nt, "dy W": matmul_nn, "dy^T x": matmul_tn}
CHECKED = 100       # elements of the product that are held against float64


class Product(Clocked):
    """What all sides have: factors and the check.  `once()` is theirs, the product itself."""
    tolerance = 1e-4    # of an element, over sqrt(k), which is its standard deviation

    def threads(self, count):
        """Take so many threads."""
        raise NotImplementedError

    def build(self, product, rows, c_in, c_out):
        """Make the two factors.  Shapes:  x (rows, c_in), dy (rows, c_out), w (c_out, c_in)"""
        rng, sizes = np.random.default_rng(0), {"x": (rows, c_in), "dy": (rows, c_out), "w": (c_out, c_in)}
        names = {"x W^T": ("x", "w"), "dy W": ("dy", "w"), "dy^T x": ("dy", "x")}[product]
        self.product = product
        self.a, self.b = (rng.standard_normal(sizes[name], np.float32) for name in names)

    def factors(self):
        """The factors as they are multiplied, after any rounding."""
        return self.a, self.b

    def result(self):
        """The product as a NumPy array."""
        return self.once()

    def error(self):
        """The largest difference from float64's product at some places, as a share of the tolerance."""
        (a, b), c, rng = self.factors(), self.result(), np.random.default_rng(1)
        i, j = (rng.integers(0, size, CHECKED) for size in c.shape)
        a = a.T if self.product == "dy^T x" else a
        b = b.T if self.product == "x W^T" else b
        exact = np.einsum("nk,kn->n", a[i], b[:, j], dtype=np.float64)
        return float(np.abs(c[i, j] - exact).max() / np.sqrt(a.shape[1]) / self.tolerance)


@numba.njit
def tiles(c, ldc, a, b, depth, count):
    """The micro-kernel on one tile of packed factors, `count` times."""
    for _ in range(count):
        micro_kernel(c, ldc, a, 1, MR, b, depth, False)


def micro_kernel_speed(precision, tries, count):
    """Operations a second of the micro-kernel alone on one core, the best of some tries."""
    steps, columns = (1, np.float32) if precision == "float32" else (2, np.uint32), 2 * VECTOR_BYTES // 4
    c = np.zeros(MR * columns, np.float32)
    a, b = (np.zeros(DEPTH * size, steps[1]) for size in (MR, columns))     # 0 costs as much as any number
    tiles(c, columns, a, b, DEPTH, 1)       # compiles
    shortest = math.inf
    for _ in range(tries):
        began = time.perf_counter()
        tiles(c, columns, a, b, DEPTH, count)
        shortest = min(shortest, time.perf_counter() - began)
    return count * 2 * steps[0] * DEPTH * MR * columns / shortest


class Ours(Product):
    """minillm's kernels in float32."""

    def threads(self, count):
        numba.set_num_threads(count)

    def once(self):
        return PRODUCTS[self.product](self.a, self.b)


class OursBFloat16(Ours):
    """minillm's kernels with both factors in bfloat16, rounded beforehand, and float32 sums."""

    def build(self, product, rows, c_in, c_out):
        super().build(product, rows, c_in, c_out)
        self.a, self.b = to_bfloat16(self.a), to_bfloat16(self.b)

    def factors(self):
        return to_float32(self.a), to_float32(self.b)


class NumpyBlas(Product):
    """NumPy's BLAS, on as many threads as minillm has."""

    def __init__(self):
        self.threads(thread_count())

    def threads(self, count):
        from threadpoolctl import threadpool_limits

        threadpool_limits(count, user_api="blas")

    def describe(self):
        """Name, version and the core that it runs as."""
        from threadpoolctl import threadpool_info

        return describe_blas(threadpool_info())

    def once(self):
        return PRODUCTS[self.product].plain(self.a, self.b)
