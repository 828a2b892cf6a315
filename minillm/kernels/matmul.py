"""The three matrix products of a linear layer: its forward, its input's and its weight's gradient.

Each returns a new array, or adds to the array `into`, or starts from a copy of `residual`. The last
computes x + f(x) without another pass over memory.

Both factors are float32, or float64, or both hold bfloat16 numbers (uint16, see bfloat16.py). The
sums of these, and so the result, are float32.

Every product has three rungs: plain is here, the blocked loops to read are in matmul_loops.py, and
the fast kernel is in matmul_blocks.py.

MINILLM_MATMUL=blas takes the plain one, whose results depend on the number of BLAS's threads.
"""

import os

import numba
import numpy as np

from minillm.kernels import matmul_loops
from minillm.kernels.bfloat16 import BFLOAT16, to_float32
from minillm.kernels.matmul_blocks import add_product, dots, inner
from minillm.kernels.twin import rung, twin, with_rungs

FEW = 12            # rows: with fewer, as in decoding, packing costs more than it saves
SMALL = 1 << 15     # multiply-adds: fewer than this do not repay a second thread
STRIP = 16          # columns of C that a thread takes at a time where there are few rows


def matmul_twin(plain, loops):
    """The rung of MINILLM_KERNELS; MINILLM_MATMUL=blas asks for the plain one, NumPy's BLAS."""
    choice = os.environ.get("MINILLM_MATMUL", "ours")
    if choice not in ("ours", "blas"):
        raise ValueError(f"MINILLM_MATMUL is {choice!r}; it must be 'ours' or 'blas'")

    def choose(ours):
        rungs = {"plain": plain, "loops": loops, "compiled": ours}
        return with_rungs(plain if choice == "blas" else rungs[rung()], plain, loops)
    return choose


def matmul_nt_plain(a, b, into=None, residual=None):
    """C = A B^T + residual, the forward of a linear layer: y = x W^T.

    Shapes:  a (M, K), b (N, K), residual (M, N) or None -> c (M, N)
    """
    return _added(to_float32(a) @ to_float32(b).T, into, residual)


@matmul_twin(plain=matmul_nt_plain, loops=matmul_loops.matmul_nt)
def matmul_nt(a, b, into=None, residual=None):
    if a.dtype != BFLOAT16 and (a.shape[0] < FEW or b.shape[0] < FEW):
        few = np.ascontiguousarray(a), np.ascontiguousarray(b)
        return _added(_product_of_few(*few), into, residual)
    return _product((a.shape[0], b.shape[0]), into, residual, a, False, b, True)


def matmul_nn_plain(a, b, into=None):
    """C = A B, the gradient of a linear layer's input: dx = dy W.

    Shapes:  a (M, K), b (K, N) -> c (M, N)
    """
    return _added(to_float32(a) @ to_float32(b), into)


@matmul_twin(plain=matmul_nn_plain, loops=matmul_loops.matmul_nn)
def matmul_nn(a, b, into=None):
    return _product((a.shape[0], b.shape[1]), into, None, a, False, b, False)


def matmul_tn_plain(a, b, into=None):
    """C = A^T B, the gradient of a linear layer's weight: dW = dy^T x.

    Shapes:  a (K, M), b (K, N) -> c (M, N)
    """
    return _added(to_float32(a).T @ to_float32(b), into)


@matmul_twin(plain=matmul_tn_plain, loops=matmul_loops.matmul_tn)
def matmul_tn(a, b, into=None):
    return _product((a.shape[1], b.shape[1]), into, None, a, True, b, False)


def _added(product, into, residual=None):
    """`into` with the product added in place; else the product plus the residual, if any."""
    if into is not None:
        into += product
        return into
    if residual is not None:
        product += residual
    return product


def _product(shape, into, residual, a, a_transposed, b, b_transposed):
    """C = A B as a new array, with the residual if there is one, or added to `into`."""
    dtype = np.float32 if a.dtype == BFLOAT16 else a.dtype
    c = np.empty(shape, dtype) if into is None else into
    base = c[:0] if residual is None else residual
    a, b = a if a_transposed else in_pairs(a), in_pairs(b) if b_transposed else b
    add_product(c, a, a_transposed, b, b_transposed, base, into is None and residual is None,
                numba.get_num_threads())
    return c


def in_pairs(rows):
    """Rows along which k runs: an odd one of bfloat16 gets a 0, which adds nothing, to be pairs."""
    odd = rows.dtype == BFLOAT16 and rows.shape[1] % 2
    return np.pad(rows, ((0, 0), (0, 1))) if odd else rows


@twin(plain=matmul_nt_plain, loops=matmul_loops.matmul_nt, parallel=True,
      few=lambda a, b: a.size * b.shape[0] < SMALL)
def _product_of_few(a, b):
    """A B^T without packing, for few rows of A or B: B is read in place."""
    c = np.empty((a.shape[0], b.shape[0]), dtype=a.dtype)
    for block in numba.prange((c.shape[1] + STRIP - 1) // STRIP):
        start, stop = STRIP * block, min(STRIP * block + STRIP, c.shape[1])
        if a.shape[0] == 1:
            for j in range(start, stop):    # one pass over B, in the order of memory
                c[0, j] = inner(a[0], b[j])
        else:
            dots(c, a, b, start, stop)
    return c
