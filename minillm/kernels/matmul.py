"""The three matrix products of a linear layer: forward, gradient of the input, gradient of the weight."""

import os

import numba
import numpy as np

from minillm.kernels.twin import FASTMATH, inline, plain_kernels


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
    """Keep our product, or put its plain twin in its place for MINILLM_MATMUL=blas and MINILLM_KERNELS=plain."""
    choice = os.environ.get("MINILLM_MATMUL", "loops")
    if choice not in ("loops", "blas"):
        raise ValueError(f"MINILLM_MATMUL is {choice!r}; it must be 'loops' or 'blas'")

    def choose(ours):
        chosen = plain if choice == "blas" or plain_kernels() else ours
        chosen.plain, chosen.__doc__ = plain, plain.__doc__
        return chosen
    return choose


# How the compiled product works, from the outside in:
#   blocks   B is copied once into panels of COLS columns, A in blocks of ROWS x DEPTH, zero-padded to whole
#            tiles. Whatever lay across memory (a transpose is only that) then lies along it, near its neighbours.
#   tile     4 rows of C gather 4 steps of k in one pass: 16 numbers of A stay in registers while the
#            loop runs along the columns, 16 multiply-adds for 8 loads and 4 stores.
# Each element of C is summed by one thread in the order of k, so the number of threads changes nothing.
COLS = 256  # columns of a panel; DEPTH x COLS floats fill a quarter of a 1 MB cache
DEPTH = 256
ROWS = 32  # rows of C per task
FEW_ROWS = 12  # fewer rows than this do not repay the copying of B


@inline
def _tile(c, a, b, width):
    """C[i, j] += sum_k A[i, k] B[k, j] for 4 rows i and 4 steps k; C and B have rows of COLS, A is a[4 k + i].

    The rows of one flat array at constant distances: with rows of a 2-D array, LLVM would have to check
    too many pairs for overlap, and would give up on vectorizing.
    """
    a00, a10, a20, a30 = a[0], a[1], a[2], a[3]
    a01, a11, a21, a31 = a[4], a[5], a[6], a[7]
    a02, a12, a22, a32 = a[8], a[9], a[10], a[11]
    a03, a13, a23, a33 = a[12], a[13], a[14], a[15]
    for j in range(width):
        b0, b1, b2, b3 = b[j], b[COLS + j], b[2 * COLS + j], b[3 * COLS + j]
        c[j] += a00 * b0 + a01 * b1 + a02 * b2 + a03 * b3
        c[COLS + j] += a10 * b0 + a11 * b1 + a12 * b2 + a13 * b3
        c[2 * COLS + j] += a20 * b0 + a21 * b1 + a22 * b2 + a23 * b3
        c[3 * COLS + j] += a30 * b0 + a31 * b1 + a32 * b2 + a33 * b3


@inline
def _pack_panel(panel, b, transposed, first, width):
    """panel[k * COLS + j] = B[k, first + j], where b holds B or B^T; 0 beyond its edges."""
    depth = b.shape[1] if transposed else b.shape[0]
    for i in range(panel.size if width < COLS else 0):
        panel[i] = 0
    for i in range(depth * COLS, panel.size):
        panel[i] = 0
    for j0 in range(0, width, 16):  # 16 rows of b^T at a time: as many cache lines as stay near
        j1 = min(j0 + 16, width)
        for k in range(depth):
            row = panel[k * COLS:(k + 1) * COLS]
            for j in range(j0, j1):
                row[j] = b[first + j, k] if transposed else b[k, first + j]


@inline
def _pack_rows(packed, a, transposed, first, k0, depth):
    """packed[4 k + i] = A[first + i, k0 + k] for one tile of 4 rows, where a holds A or A^T; 0 beyond its edges."""
    count = min(4, (a.shape[1] if transposed else a.shape[0]) - first)
    if count < 4 or depth % 4 != 0:
        for i in range(packed.size):
            packed[i] = 0
    if transposed:
        for k in range(depth):
            row = a[k0 + k, first:first + count]
            for i in range(count):
                packed[4 * k + i] = row[i]
    else:
        for i in range(count):
            row = a[first + i, k0:k0 + depth]
            for k in range(depth):
                packed[4 * k + i] = row[k]


@inline
def _row_block(c, a, a_transposed, panels, first):
    """ROWS rows of C from the panels of B, DEPTH steps of k at a time."""
    N, M = c.shape
    K = a.shape[0] if a_transposed else a.shape[1]
    packed = np.empty((ROWS // 4, 4 * DEPTH), dtype=c.dtype)
    sums = np.empty(4 * COLS, dtype=c.dtype)
    for k0 in range(0, K, DEPTH):
        depth = min(DEPTH, K - k0)
        for i in range(first, min(first + ROWS, N), 4):
            _pack_rows(packed[(i - first) // 4], a, a_transposed, i, k0, depth)
        for j0 in range(0, M, COLS):
            width, panel = min(COLS, M - j0), panels[j0 // COLS]
            for i in range(first, min(first + ROWS, N), 4):
                rows = packed[(i - first) // 4]
                for j in range(4 * COLS):
                    sums[j] = 0
                for k in range(0, depth, 4):
                    start = (k0 + k) * COLS
                    _tile(sums, rows[4 * k:4 * k + 16], panel[start:start + 4 * COLS], (width + 15) // 16 * 16)
                for n in range(min(4, N - i)):
                    row = c[i + n, j0:j0 + width]
                    for j in range(width):
                        row[j] += sums[n * COLS + j]


@numba.njit(parallel=True, cache=True, fastmath=FASTMATH, error_model="numpy")
def _product(a, a_transposed, b, b_transposed):
    """A B, where a holds A or A^T, and b holds B or B^T."""
    N = a.shape[1] if a_transposed else a.shape[0]
    K, M = (b.shape[1], b.shape[0]) if b_transposed else b.shape
    c = np.zeros((N, M), dtype=a.dtype)
    panels = np.empty(((M + COLS - 1) // COLS, (K + 3) // 4 * 4 * COLS), dtype=a.dtype)
    for p in numba.prange(panels.shape[0]):
        _pack_panel(panels[p], b, b_transposed, p * COLS, min(COLS, M - p * COLS))
    for block in numba.prange((N + ROWS - 1) // ROWS):
        _row_block(c, a, a_transposed, panels, block * ROWS)
    return c


@inline
def _dots(a, b):
    """A B^T for few rows: each element is a dot product, 4 at a time, and B is read where it lies."""
    N, M = a.shape[0], b.shape[0]
    c = np.empty((N, M), dtype=a.dtype)
    for j in range(0, M, 4):
        b0, b1, b2, b3 = b[j], b[min(j + 1, M - 1)], b[min(j + 2, M - 1)], b[min(j + 3, M - 1)]
        for i in range(N):
            row, s0 = a[i], a.dtype.type(0)
            s1, s2, s3 = s0, s0, s0
            for k in range(row.size):
                s0 += row[k] * b0[k]
                s1 += row[k] * b1[k]
                s2 += row[k] * b2[k]
                s3 += row[k] * b3[k]
            sums = (s0, s1, s2, s3)
            for n in range(min(4, M - j)):
                c[i, j + n] = sums[n]
    return c


@matmul_twin(plain=matmul_nt_plain)
def matmul_nt(a, b):
    return _dots(a, b) if a.shape[0] < FEW_ROWS else _product(a, False, b, True)


@matmul_twin(plain=matmul_nn_plain)
def matmul_nn(a, b):
    return _product(a, False, b, False)


@matmul_twin(plain=matmul_tn_plain)
def matmul_tn(a, b):
    return _product(a, True, b, False)
