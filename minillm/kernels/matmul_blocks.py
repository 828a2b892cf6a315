"""The three matrix products of a linear layer: forward, gradient of the input, gradient of the weight.

Each makes a new array, adds to the one that is given as `into`, or makes a new one that begins as `residual`:
what x + f(x) adds costs no pass over memory of its own.
"""

import os

import numba
import numpy as np

from minillm.kernels.lanes import across, blank, lanes, load, store, transpose_square
from minillm.kernels.tile import add_tile
from minillm.kernels.twin import inline, parallel, plain_kernels, twin


def _added(product, into, residual=None):
    """The product, `into` with the product added to it in place, or the product and the residual."""
    if into is not None:
        into += product
        return into
    if residual is not None:
        product += residual
    return product


def matmul_nt_plain(a, b, into=None, residual=None):
    """C = A B^T + residual, the forward of a linear layer: y = x W^T.

    Shapes:  a (N, K), b (M, K), residual (N, M) or None -> c (N, M)
    """
    return _added(a @ b.T, into, residual)


def matmul_nn_plain(a, b, into=None):
    """C = A B, the gradient of a linear layer's input: dx = dy W.

    Shapes:  a (N, K), b (K, M) -> c (N, M)
    """
    return _added(a @ b, into)


def matmul_tn_plain(a, b, into=None):
    """C = A^T B, the gradient of a linear layer's weight: dW = dy^T x.

    Shapes:  a (N, M), b (N, K) -> c (M, K)
    """
    return _added(a.T @ b, into)


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


# A ladder to it, in GFLOP/s for 768 x 768 x 768 on two cores (benchmarks/matmul.py has every rung and prints it):
#   three plain loops                2
#   row by row                      29   the innermost loop runs over memory that lies together: vectors
#   in blocks that fit the cache    15   by themselves they cost more than they save at this size
#   register tiles                 104   what is loaded is used 4 or 32 times
#   on both threads                202   BLAS: 206
# How the compiled product works, from the inside out:
#   tile     4 rows of C, two vectors wide, stay in 8 registers while k runs (tile.py).
#   panels   B is copied into panels two vectors wide, in the order in which a tile reads it; where it has to be
#            transposed, in squares that stay in registers meanwhile (lanes.py). A is read where it lies, unless it is
#            transposed: then a vector of rows, for four tiles, is copied side by side.
#   blocks   ROWS rows of C and DEPTH steps of k at a time: so much of a panel stays in the nearest cache, so much of A
#            in the next.
#   groups   Panels of at most DEEP steps of k and WIDE columns are made at a time, so that a large B, copied,
#            does not go out to memory and back.
#   threads  Each has a part of C, and copies what it needs by itself: what one core has just written, another
#            reads slower than it would have copied it.
# Each element of C is summed by one thread, in an order that the shapes alone decide: the number of threads changes
# nothing.
DEPTH = 192
ROWS = 128
DEEP, WIDE = 768, 768
NARROW = 4  # so few columns beyond the last whole panel are dot products, not a panel of their own
FEW = 12  # fewer rows than this, as in decoding, do not repay the packing
SMALL = 1 << 15  # fewer multiply-adds than this do not repay a second thread


@inline
def _inner(row, other):
    """Inner product of two rows; LLVM makes vectors of it, and several sums."""
    total = row.dtype.type(0)
    for k in range(row.size):
        total += row[k] * other[k]
    return total


@inline
def _dots(c, a, b, start, stop):
    """Columns start <= j < stop of C = A B^T, each element a dot product; 4 columns share the reads of A."""
    n, last = lanes(a), b.shape[0] - 1
    whole = a.shape[1] // n * n
    for j in range(start, stop, 4):
        b0, b1, b2, b3 = b[j], b[min(j + 1, last)], b[min(j + 2, last)], b[min(j + 3, last)]
        for i in range(a.shape[0]):
            row, s0 = a[i], blank(a)
            s1, s2, s3 = s0, s0, s0
            for k in range(0, whole, n):
                some = load(row, k)
                s0, s1 = s0 + some * load(b0, k), s1 + some * load(b1, k)
                s2, s3 = s2 + some * load(b2, k), s3 + some * load(b3, k)
            sums = (across(s0), across(s1), across(s2), across(s3))
            for m in range(min(4, stop - j)):
                total = sums[m]
                for k in range(whole, row.size):
                    total += row[k] * b[j + m, k]
                c[i, j + m] = total


@inline
def _pack_panels(panels, b, transposed, k0, depth, first, width):
    """panels[p, k * size + j] = B[k0 + k, first + p * size + j], where b holds B or B^T and size is two vectors.

    Zeros fill up the last panel.
    """
    n, size, flat = lanes(b), 2 * lanes(b), b.reshape(b.size)
    if width % size:
        panels[width // size] = 0
    if transposed:
        for j in range(0, width, n):
            target, at = panels[j // size, j % size:], (first + j) * b.shape[1] + k0
            whole = depth // n * n if j + n <= width else 0
            for k in range(0, whole, n):
                transpose_square(target, k * size, size, flat, at + k, b.shape[1])
            for i in range(min(n, width - j)):
                for k in range(whole, depth):
                    target[k * size + i] = flat[at + i * b.shape[1] + k]
    else:
        for k in range(depth):
            at = (k0 + k) * b.shape[1] + first
            for p in range(width // size):
                target = panels[p]
                store(target, k * size, load(flat, at)), store(target, k * size + n, load(flat, at + n))
                at += size
            for j in range(width % size):
                panels[width // size, k * size + j] = flat[at + j]


@inline
def _pack_rows(packed, a, i0, i1, k0, depth):
    """packed[g, k * lanes + r] = A[i0 + g * lanes + r, k0 + k], where a holds A^T; beyond the last row anything."""
    n, N, flat = lanes(a), a.shape[1], a.reshape(a.size)
    whole = (i1 - i0) // n
    for k in range(depth):
        at = (k0 + k) * N + i0
        for g in range(whole):
            store(packed[g], k * n, load(flat, at))
            at += n
        for r in range((i1 - i0) % n):
            packed[whole, k * n + r] = flat[at + r]


@inline
def _copy(into, source):
    """into = source; written as an assignment, numba would compile what composes its error message: 3 seconds."""
    for i in range(into.shape[0]):
        row, other = into[i], source[i]
        for j in range(row.size):
            row[j] = other[j]


@inline
def _add_edge(c, a0, a1, a2, a3, b):
    """add_tile at the right and lower edges of C, where less than a whole tile is left."""
    rows, width = c.shape
    tile = np.empty(8 * lanes(c), dtype=c.dtype)
    add_tile(tile, 2 * lanes(c), a0, a1, a2, a3, b, True)
    for i in range(rows):
        row, sums = c[i], tile[2 * lanes(c) * i:2 * lanes(c) * i + width]
        for j in range(width):
            row[j] += sums[j]


@inline
def _add_block(c, a, a_transposed, panels, i0, i1, k0, depth, first, width):
    """Rows i0 <= i < i1 of C += A B over k0 <= k < k0 + depth, for `width` columns from `first` on."""
    (N, M), size, flat = c.shape, 2 * lanes(c), c.reshape(c.size)
    n = lanes(a)
    packed = np.empty(((i1 - i0 + n - 1) // n if a_transposed else 0, n * DEPTH + n), dtype=a.dtype)
    for k1 in range(k0, k0 + depth, DEPTH):
        some = min(DEPTH, k0 + depth - k1)
        if a_transposed:
            _pack_rows(packed, a, i0, i1, k1, some)
        for p in range((width + size - 1) // size):
            b, left = panels[p, (k1 - k0) * size:], first + p * size
            for i in range(i0, i1, 4):
                if a_transposed:
                    four = packed[(i - i0) // n, (i - i0) % n:n * some]
                    a0, a1, a2, a3 = four[0::n], four[1::n], four[2::n], four[3::n]
                else:   # `:1` makes them, to numba, the same type as the strided rows above
                    a0, a1 = a[i, k1:k1 + some:1], a[min(i + 1, N - 1), k1:k1 + some:1]
                    a2, a3 = a[min(i + 2, N - 1), k1:k1 + some:1], a[min(i + 3, N - 1), k1:k1 + some:1]
                if i + 4 <= i1 and left + size <= M:
                    add_tile(flat[i * M + left:], M, a0, a1, a2, a3, b, False)
                else:
                    _add_edge(c[i:min(i + 4, i1), left:left + size], a0, a1, a2, a3, b)


@inline
def _add_part(c, a, a_transposed, b, b_transposed, residual, fresh, rows, columns):
    """The part of C that lies in these rows and columns, with panels of its own."""
    size, K = 2 * lanes(a), a.shape[0] if a_transposed else a.shape[1]
    widest = min(columns[1] - columns[0], WIDE)
    # a vector pair beyond the last step of k: panels at a distance of 2^n bytes would share few places of the cache
    panels = np.empty(((widest + size - 1) // size, (min(K, DEEP) + 1) * size), dtype=a.dtype)
    for first in range(columns[0], columns[1], WIDE):
        width = min(WIDE, columns[1] - first)
        for k0 in range(0, max(K, 1), DEEP):
            depth = min(DEEP, K - k0)
            _pack_panels(panels, b, b_transposed, k0, depth, first, width)
            for i0 in range(rows[0], rows[1], ROWS):
                i1 = min(i0 + ROWS, rows[1])
                if k0 == 0 and residual.size:
                    _copy(c[i0:i1, first:first + width], residual[i0:i1, first:first + width])
                elif k0 == 0 and fresh:     # in the order of memory: a tile would meet its lines far apart
                    c[i0:i1, first:first + width] = 0
                _add_block(c, a, a_transposed, panels, i0, i1, k0, depth, first, width)


@parallel
def _add_product(c, a, a_transposed, b, b_transposed, residual, fresh, threads):
    """C += A B, or C = A B + residual where the residual is not empty, or C = A B where C is fresh memory;
    a holds A or A^T, and b holds B or B^T."""
    (N, M), size = c.shape, 2 * lanes(a)
    narrow = M % size if b_transposed and not a_transposed and fresh and M % size <= NARROW else 0
    wide = M - narrow
    # A part for every thread, of whole tiles: of the longer side, so that what all copy is the smaller factor.
    rows = (N + 4 * threads - 1) // (4 * threads) * 4 if N >= wide else N
    columns = (wide + size * threads - 1) // (size * threads) * size if N < wide else wide
    for part in numba.prange(threads):
        i0, i1 = (min(part * rows, N), min((part + 1) * rows, N)) if N >= wide else (0, N)
        j0, j1 = (0, wide) if N >= wide else (min(part * columns, wide), min((part + 1) * columns, wide))
        if i0 < i1 and j0 < j1:
            _add_part(c, a, a_transposed, b, b_transposed, residual, fresh, (i0, i1), (j0, j1))
        if narrow and i0 < i1 and (N >= wide or part == 0):
            _dots(c[i0:i1], a[i0:i1], b, wide, M)


@twin(plain=matmul_nt_plain, parallel=True, few=lambda a, b: a.size * b.shape[0] < SMALL)
def _product_of_few(a, b):
    """A B^T without packing, where A or B has few rows: b is read where it lies."""
    c = np.empty((a.shape[0], b.shape[0]), dtype=a.dtype)
    for block in numba.prange((c.shape[1] + 15) // 16):
        start, stop = 16 * block, min(16 * block + 16, c.shape[1])
        if a.shape[0] == 1:
            for j in range(start, stop):    # B is read once, as it lies in memory
                c[0, j] = _inner(a[0], b[j])
        else:
            _dots(c, a, b, start, stop)
    return c


def _product(shape, into, residual, *factors):
    """C = A B as a new array, with the residual if there is one, or added to the one that is given."""
    c = np.empty(shape, factors[0].dtype) if into is None else into
    base = c[:0] if residual is None else residual
    _add_product(c, *factors, base, into is None and residual is None, numba.get_num_threads())
    return c


@matmul_twin(plain=matmul_nt_plain)
def matmul_nt(a, b, into=None, residual=None):
    if a.shape[0] < FEW or b.shape[0] < FEW:
        few = np.ascontiguousarray(a), np.ascontiguousarray(b)
        return _added(_product_of_few(*few), into, residual)
    return _product((a.shape[0], b.shape[0]), into, residual, a, False, b, True)


@matmul_twin(plain=matmul_nn_plain)
def matmul_nn(a, b, into=None):
    return _product((a.shape[0], b.shape[1]), into, None, a, False, b, False)


@matmul_twin(plain=matmul_tn_plain)
def matmul_tn(a, b, into=None):
    return _product((a.shape[1], b.shape[1]), into, None, a, True, b, False)
