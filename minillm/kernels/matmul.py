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
    """Our product, or its plain twin for MINILLM_MATMUL=blas and MINILLM_KERNELS=plain."""
    choice = os.environ.get("MINILLM_MATMUL", "loops")
    if choice not in ("loops", "blas"):
        raise ValueError(f"MINILLM_MATMUL is {choice!r}; it must be 'loops' or 'blas'")

    def choose(ours):
        chosen = plain if choice == "blas" or plain_kernels() else ours
        chosen.plain, chosen.__doc__ = plain, plain.__doc__
        return chosen
    return choose


# How the compiled product works, from the outside in:
#   blocks   B is copied once into panels of COLS columns, and A into blocks of ROWS rows and DEPTH columns,
#            padded with zeros to whole tiles. What lay across memory (a transpose is only that) then lies
#            along it, and what is used together lies together.
#   tile     4 rows of C gather 4 steps of k in one pass: 16 numbers of A stay in registers while the loop
#            runs along the columns, 16 multiply-adds for 8 loads and 4 stores.
# Each element of C is summed by one thread in the order of k, so the number of threads changes nothing.
COLS = 256  # columns of a panel: DEPTH x COLS floats fill a quarter of a 1 MB cache
DEPTH = 256
ROWS = 32  # rows of C a task
FEW = 48  # fewer rows than this, as in decoding, do not repay the packing
SMALL = 1 << 20  # fewer multiply-adds than this do not repay a second thread


@inline
def _tile(c, a, b, width):
    """c_i += sum_k a[4 k + i] b_k for 4 rows of each, COLS apart in one flat array.

    The constant distance matters: for the rows of a 2-D array LLVM would have to check too many pairs
    for overlap, and would give up on vectorizing.
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
    """panel[k * COLS + j] = B[k, first + j], where b holds B or B^T; zeros beyond the edges of B."""
    depth = b.shape[1] if transposed else b.shape[0]
    for i in range(0 if width < COLS else depth * COLS, panel.size):
        panel[i] = 0
    if transposed:
        for j in range(0, width, 16):  # 16 rows of b at a time: as many cache lines as stay near
            rows = b[first + j:first + min(j + 16, width)]
            for k in range(depth):
                target = panel[k * COLS + j:k * COLS + j + rows.shape[0]]
                for i in range(target.size):
                    target[i] = rows[i, k]
    else:
        for k in range(depth):
            row, target = b[k, first:first + width], panel[k * COLS:k * COLS + width]
            for j in range(row.size):
                target[j] = row[j]


@inline
def _pack_block(tiles, a, transposed, first, count, k0, depth):
    """tiles[i // 4, 4 k + i % 4] = A[first + i, k0 + k], where a holds A or A^T; zeros beyond its edges."""
    if count < ROWS or depth < DEPTH:
        for i in range(tiles.shape[0]):
            for k in range(tiles.shape[1]):
                tiles[i, k] = 0
    whole = count // 4 * 4  # the rows in whole tiles; those that are left over go one by one
    if transposed:
        for k in range(depth):
            row = a[k0 + k, first:first + whole]
            for i in range(0, whole, 4):
                target, source = tiles[i // 4, 4 * k:4 * k + 4], row[i:i + 4]
                target[0], target[1], target[2], target[3] = source[0], source[1], source[2], source[3]
    else:
        for i in range(first, first + whole, 4):
            target, end = tiles[(i - first) // 4], k0 + depth
            row0, row1, row2, row3 = a[i, k0:end], a[i + 1, k0:end], a[i + 2, k0:end], a[i + 3, k0:end]
            for k in range(row0.size):
                target[4 * k], target[4 * k + 1] = row0[k], row1[k]
                target[4 * k + 2], target[4 * k + 3] = row2[k], row3[k]
    for i in range(whole, count):
        for k in range(depth):
            tiles[i // 4, 4 * k + i % 4] = a[k0 + k, first + i] if transposed else a[first + i, k0 + k]


@inline
def _add_rows(c, tile, panel, sums, depth):
    """Up to 4 rows of C, one panel wide, get DEPTH steps of k, gathered in `sums` in whole tiles."""
    rows, width = c.shape
    for j in range(4 * COLS):
        sums[j] = 0
    for k in range(0, depth, 4):
        _tile(sums, tile[4 * k:4 * k + 16], panel[k * COLS:(k + 4) * COLS], (width + 15) // 16 * 16)
    for i in range(rows):
        row, got = c[i], sums[i * COLS:i * COLS + width]
        for j in range(width):
            row[j] += got[j]


@inline
def _add_block(c, a, a_transposed, panels, first):
    """ROWS rows of C = A B, DEPTH steps of k at a time."""
    N, M = c.shape
    K = a.shape[0] if a_transposed else a.shape[1]
    count = min(ROWS, N - first)
    tiles, sums = np.empty((ROWS // 4, 4 * DEPTH), dtype=c.dtype), np.empty(4 * COLS, dtype=c.dtype)
    for k0 in range(0, K, DEPTH):
        depth = min(DEPTH, K - k0)
        _pack_block(tiles, a, a_transposed, first, count, k0, depth)
        for j in range(0, M, COLS):
            panel = panels[j // COLS, k0 * COLS:]
            for i in range(0, count, 4):
                block = c[first + i:first + min(i + 4, count), j:min(j + COLS, M)]
                _add_rows(block, tiles[i // 4], panel, sums, depth)


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


@numba.njit(parallel=True, cache=True, fastmath=FASTMATH, error_model="numpy")
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
