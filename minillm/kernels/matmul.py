"""The three matrix products of a linear layer: forward, gradient of the input, gradient of the weight."""

import os

import numba
import numpy as np

from minillm.kernels.lanes import lanes
from minillm.kernels.tile import add_tile
from minillm.kernels.twin import inline, parallel, plain_kernels


def matmul_nt_plain(a, b):
    """C = A B^T, the forward of a linear layer: y = x W^T.

    Shapes:  a (N, K), b (M, K) -> c (N, M)
    """
    return a @ b.T


def matmul_nn_plain(a, b):
    """C = A B, the gradient of a linear layer's input: dx = dy W.

    Shapes:  a (N, K), b (K, M) -> c (N, M)
    """
    return a @ b


def matmul_tn_plain(a, b):
    """C = A^T B, the gradient of a linear layer's weight: dW = dy^T x.

    Shapes:  a (N, M), b (N, K) -> c (M, K)
    """
    return a.T @ b


def matmul_twin(plain):
    """Our product, or its plain twin for MINILLM_MATMUL=blas and MINILLM_KERNELS=plain."""
    choice = os.environ.get("MINILLM_MATMUL", "loops")
    if choice not in ("loops", "blas"):
        raise ValueError(f"MINILLM_MATMUL is {choice!r}; it must be 'loops' or 'blas'")

    def choose(ours):
        chosen = plain if choice == "blas" or plain_kernels() else ours
        chosen.plain, chosen.__doc__ = plain, plain.__doc__
        return chosen
    return choose


# How the compiled product works, from the inside out:
#   tile     4 rows of C, two vectors wide, stay in 8 registers while k runs (tile.py).
#   panels   B is copied once into panels two vectors wide, in the order in which a tile reads it. A transpose
#            is only that. A is read where it lies.
#   blocks   ROWS rows of C and DEPTH steps of k at a time: what is used together stays in the nearest cache.
# Each element of C is summed by one thread in the order of k, so the number of threads changes nothing.
DEPTH = 256
ROWS = 32  # rows of C a task
FEW = 48  # fewer rows than this, as in decoding, do not repay the packing
SMALL = 1 << 20  # fewer multiply-adds than this do not repay a second thread


@inline
def _row(a, transposed, i, k0, depth):
    """A[i, k0], A[i, k0 + 1], ..., where a holds A or A^T; the step in each slice gives both the same type."""
    return a[k0:k0 + depth:1, i] if transposed else a[i, k0:k0 + depth:1]


@inline
def _add_edge(c, a0, a1, a2, a3, b):
    """add_tile at the right and lower edges of C, where less than a whole tile is left."""
    rows, width = c.shape
    tile = np.zeros(8 * lanes(c), dtype=c.dtype)
    add_tile(tile, 2 * lanes(c), a0, a1, a2, a3, b)
    for i in range(rows):
        row, sums = c[i], tile[2 * lanes(c) * i:2 * lanes(c) * i + width]
        for j in range(width):
            row[j] += sums[j]


@inline
def _pack_panel(panel, b, transposed, first, width):
    """panel[k * size + j] = B[k, first + j], where b holds B or B^T; zeros beyond the right edge of B."""
    size, depth = 2 * lanes(b), b.shape[1] if transposed else b.shape[0]
    for i in range(0 if width < size else depth * size, depth * size):
        panel[i] = 0
    if transposed:
        for k0 in range(0, depth, 16):  # a cache line of every row at a time
            for j in range(width):
                row = b[first + j, k0:min(k0 + 16, depth)]
                for k in range(row.size):
                    panel[(k0 + k) * size + j] = row[k]
    else:
        for k in range(depth):
            row, target = b[k, first:first + width], panel[k * size:k * size + width]
            for j in range(row.size):
                target[j] = row[j]


@inline
def _add_block(c, a, a_transposed, panels, first):
    """ROWS rows of C = A B, DEPTH steps of k at a time."""
    (N, M), size, flat = c.shape, 2 * lanes(c), c.reshape(c.size)
    K = a.shape[0] if a_transposed else a.shape[1]
    for k0 in range(0, K, DEPTH):
        depth = min(DEPTH, K - k0)
        for p in range(panels.shape[0]):
            b, left = panels[p, k0 * size:], p * size
            for i in range(first, min(first + ROWS, N), 4):
                a0 = _row(a, a_transposed, i, k0, depth)
                a1 = _row(a, a_transposed, min(i + 1, N - 1), k0, depth)
                a2 = _row(a, a_transposed, min(i + 2, N - 1), k0, depth)
                a3 = _row(a, a_transposed, min(i + 3, N - 1), k0, depth)
                if i + 4 <= N and left + size <= M:
                    add_tile(flat[i * M + left:], M, a0, a1, a2, a3, b)
                else:
                    _add_edge(c[i:i + 4, left:left + size], a0, a1, a2, a3, b)


@parallel
def _product(a, a_transposed, b, b_transposed):
    """A B, where a holds A or A^T, and b holds B or B^T."""
    N = a.shape[1] if a_transposed else a.shape[0]
    K, M = (b.shape[1], b.shape[0]) if b_transposed else b.shape
    size = 2 * lanes(a)
    c = np.zeros((N, M), dtype=a.dtype)
    panels = np.empty(((M + size - 1) // size, K * size), dtype=a.dtype)
    for p in numba.prange(panels.shape[0]):
        _pack_panel(panels[p], b, b_transposed, p * size, min(size, M - p * size))
    for block in numba.prange((N + ROWS - 1) // ROWS):
        _add_block(c, a, a_transposed, panels, block * ROWS)
    return c


@inline
def _dots(c, a, b, start, stop):
    """Columns start <= j < stop of C = A B^T, each element a dot product; 4 columns share the reads of A."""
    last = b.shape[0] - 1
    for j in range(start, stop, 4):
        b0, b1, b2, b3 = b[j], b[min(j + 1, last)], b[min(j + 2, last)], b[min(j + 3, last)]
        for i in range(a.shape[0]):
            row, s0 = a[i], a.dtype.type(0)
            s1, s2, s3 = s0, s0, s0
            for k in range(row.size):
                s0 += row[k] * b0[k]
                s1 += row[k] * b1[k]
                s2 += row[k] * b2[k]
                s3 += row[k] * b3[k]
            sums = (s0, s1, s2, s3)
            for n in range(min(4, stop - j)):
                c[i, j + n] = sums[n]


@parallel
def _product_of_few(a, b):
    """A B^T without packing, where A or B has few rows: b is read where it lies."""
    c = np.empty((a.shape[0], b.shape[0]), dtype=a.dtype)
    M = b.shape[0]
    step = 64 if c.size * a.shape[1] > SMALL else max(M, 1)
    for block in numba.prange((M + step - 1) // step):
        _dots(c, a, b, block * step, min((block + 1) * step, M))
    return c


@matmul_twin(plain=matmul_nt_plain)
def matmul_nt(a, b):
    few = min(a.shape[0], b.shape[0]) < FEW
    return _product_of_few(a, b) if few else _product(a, False, b, True)


@matmul_twin(plain=matmul_nn_plain)
def matmul_nn(a, b):
    return _product(a, False, b, False)


@matmul_twin(plain=matmul_tn_plain)
def matmul_tn(a, b):
    return _product(a, True, b, False)
