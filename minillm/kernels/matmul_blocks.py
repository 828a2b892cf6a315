"""The fast matrix product: packed panels, blocks that fit the caches, a register tile, all threads.

A ladder to it, in GFLOP/s for 768 x 768 x 768 on two cores (benchmarks/matmul.py runs every rung):

    three plain loops                2
    row by row                      29   the inner loop reads contiguous memory: LLVM vectorizes it
    in blocks that fit the cache    15   alone, blocks cost more than they save at this size
    register tiles                 104   each loaded number is used 4 or 32 times
    on both threads                202   BLAS: 206

matmul_loops.py is the same algorithm without tuning: read it first. The five loops around the
micro-kernel, from the outside in:

    5   NC columns of C (add_part)
    4   KB steps of k (add_part): here B is packed into micro-panels of NR columns
    3   MC rows of C (add_part)
        KC steps of k (macro_kernel): here A is packed, but only where it has to be transposed
    2   the micro-panels of B, NR columns of C each (macro_kernel)
    1   MR rows of C (macro_kernel)

    micro_kernel (tile.py): an MR x NR tile of C stays in registers while k runs

Packing copies a factor into the order in which the micro-kernel reads it. Where that transposes, it
works on squares that stay in registers (lanes.py). A is read in place unless it is transposed.

Each thread computes a part of C and packs B for itself: reading what another core has just written
is slower than packing it again. One thread sums each element of C, in an order that depends only on
the shapes, so the result does not depend on the number of threads.

Source:  Van Zee & van de Geijn 2015, doi:10.1145/2764454 (BLIS).
"""

import numba
import numpy as np

from minillm.kernels.lanes import across, blank, lanes, load, store, transpose_square
from minillm.kernels.tile import MR, micro_kernel
from minillm.kernels.twin import inline, ordered, parallel

# NR, the columns of a register tile, is two vectors: 2 * lanes(a). It depends on the dtype.
MC = 128    # rows of A and C in a block: MC x KC numbers of A stay in the second-level cache
KC = 192    # steps of k in a block: KC x NR numbers of a micro-panel stay in the first-level cache
KB = 768    # steps of k for which B is packed at a time, a multiple of KC
NC = 768    # columns of B that are packed at a time: KB x NC numbers stay in the last-level cache
NARROW = 4  # columns: so few after the last whole micro-panel are dot products, without a panel


@inline
def inner(row, other):
    """Inner product of two rows. LLVM vectorizes it, with several partial sums."""
    total = row.dtype.type(0)
    for k in range(row.size):
        total += row[k] * other[k]
    return total


@inline
def dots(c, a, b, start, stop):
    """Columns start <= j < stop of C = A B^T, as dot products; 4 columns share each load of A."""
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


@ordered
def pack_b(panels, b, transposed, k0, depth, j0, width):
    """panels[p, k * NR + j] = B[k0 + k, j0 + p * NR + j], where b holds B, or B^T if transposed.

    The last micro-panel is padded with zeros.
    """
    n, NR, flat = lanes(b), 2 * lanes(b), b.reshape(b.size)
    if width % NR:
        panels[width // NR] = 0
    if transposed:
        for j in range(0, width, n):
            target, at = panels[j // NR, j % NR:], (j0 + j) * b.shape[1] + k0
            whole = depth // n * n if j + n <= width else 0
            for k in range(0, whole, n):
                transpose_square(target, k * NR, NR, flat, at + k, b.shape[1])
            for i in range(min(n, width - j)):
                for k in range(whole, depth):
                    target[k * NR + i] = flat[at + i * b.shape[1] + k]
    else:
        for k in range(depth):
            at = (k0 + k) * b.shape[1] + j0
            for p in range(width // NR):
                target = panels[p]
                store(target, k * NR, load(flat, at))
                store(target, k * NR + n, load(flat, at + n))
                at += NR
            for j in range(width % NR):
                panels[width // NR, k * NR + j] = flat[at + j]


@ordered
def pack_a(packed, a, i0, i1, k0, depth):
    """packed[g, k * lanes + r] = A[i0 + g * lanes + r, k0 + k], where a holds A^T.

    A group g is a vector of rows: several register tiles. Rows beyond i1 are left unset.
    """
    n, M, flat = lanes(a), a.shape[1], a.reshape(a.size)
    whole = (i1 - i0) // n
    for k in range(depth):
        at = (k0 + k) * M + i0
        for g in range(whole):
            store(packed[g], k * n, load(flat, at))
            at += n
        for r in range((i1 - i0) % n):
            packed[whole, k * n + r] = flat[at + r]


@ordered
def copy(into, source):
    """into = source. An assignment would compile an error message as well: 3 seconds."""
    for i in range(into.shape[0]):
        row, other = into[i], source[i]
        for j in range(row.size):
            row[j] = other[j]


@ordered
def edge_kernel(c, a0, a1, a2, a3, b):
    """micro_kernel at the right and lower edges of C, where c is smaller than MR x NR.

    The whole tile is computed in a buffer; only what lies in c is added to it.
    """
    rows, width = c.shape
    tile = np.empty(2 * MR * lanes(c), dtype=c.dtype)
    micro_kernel(tile, 2 * lanes(c), a0, a1, a2, a3, b, True)
    for i in range(rows):
        row, sums = c[i], tile[2 * lanes(c) * i:2 * lanes(c) * i + width]
        for j in range(width):
            row[j] += sums[j]


@ordered
def macro_kernel(c, a, a_transposed, panels, i0, i1, k0, depth, j0, width):
    """C += A B for rows i0 <= i < i1, `depth` steps of k from k0 and `width` columns from j0."""
    (M, N), NR, flat = c.shape, 2 * lanes(c), c.reshape(c.size)
    n = lanes(a)
    packed = np.empty(((i1 - i0 + n - 1) // n if a_transposed else 0, n * KC + n), dtype=a.dtype)
    for k1 in range(k0, k0 + depth, KC):
        kc = min(KC, k0 + depth - k1)
        if a_transposed:
            pack_a(packed, a, i0, i1, k1, kc)
        for p in range((width + NR - 1) // NR):             # loop 2
            b, j = panels[p, (k1 - k0) * NR:], j0 + p * NR
            for i in range(i0, i1, MR):                     # loop 1
                if a_transposed:
                    rows = packed[(i - i0) // n, (i - i0) % n:n * kc]
                    a0, a1, a2, a3 = rows[0::n], rows[1::n], rows[2::n], rows[3::n]
                else:   # the step `:1` gives these rows the numba type of the strided rows above
                    a0, a1 = a[i, k1:k1 + kc:1], a[min(i + 1, M - 1), k1:k1 + kc:1]
                    a2, a3 = a[min(i + 2, M - 1), k1:k1 + kc:1], a[min(i + 3, M - 1), k1:k1 + kc:1]
                if i + MR <= i1 and j + NR <= N:
                    micro_kernel(flat[i * N + j:], N, a0, a1, a2, a3, b, False)
                else:
                    edge_kernel(c[i:min(i + MR, i1), j:j + NR], a0, a1, a2, a3, b)


@ordered
def add_part(c, a, a_transposed, b, b_transposed, residual, fresh, rows, columns):
    """The part of C in these rows and columns, with packed panels of its own."""
    NR, K = 2 * lanes(a), a.shape[0] if a_transposed else a.shape[1]
    widest = min(columns[1] - columns[0], NC)
    # One step of k more than is used: panels 2^n bytes apart would map to the same cache sets.
    panels = np.empty(((widest + NR - 1) // NR, (min(K, KB) + 1) * NR), dtype=a.dtype)
    for j0 in range(columns[0], columns[1], NC):            # loop 5
        width = min(NC, columns[1] - j0)
        for k0 in range(0, max(K, 1), KB):                  # loop 4
            depth = min(KB, K - k0)
            pack_b(panels, b, b_transposed, k0, depth, j0, width)
            for i0 in range(rows[0], rows[1], MC):          # loop 3
                i1 = min(i0 + MC, rows[1])
                if k0 == 0 and residual.size:
                    copy(c[i0:i1, j0:j0 + width], residual[i0:i1, j0:j0 + width])
                elif k0 == 0 and fresh:     # row by row: a tile's rows lie in distant cache lines
                    c[i0:i1, j0:j0 + width] = 0
                macro_kernel(c, a, a_transposed, panels, i0, i1, k0, depth, j0, width)


@parallel
def add_product(c, a, a_transposed, b, b_transposed, residual, fresh, threads):
    """C += A B; C = A B + residual where residual is not empty; C = A B where C is fresh memory.

    a holds A, or A^T if a_transposed; b holds B, or B^T if b_transposed.
    """
    (M, N), NR = c.shape, 2 * lanes(a)
    narrow = N % NR if b_transposed and not a_transposed and fresh and N % NR <= NARROW else 0
    wide = N - narrow
    # Divide the longer side of C into whole tiles: the factor that all threads read is the smaller.
    rows = (M + MR * threads - 1) // (MR * threads) * MR if M >= wide else M
    columns = (wide + NR * threads - 1) // (NR * threads) * NR if M < wide else wide
    for part in numba.prange(threads):
        i0, i1, j0, j1 = 0, M, 0, wide
        if M >= wide:
            i0, i1 = min(part * rows, M), min((part + 1) * rows, M)
        else:
            j0, j1 = min(part * columns, wide), min((part + 1) * columns, wide)
        if i0 < i1 and j0 < j1:
            add_part(c, a, a_transposed, b, b_transposed, residual, fresh, (i0, i1), (j0, j1))
        if narrow and i0 < i1 and (M >= wide or part == 0):
            dots(c[i0:i1], a[i0:i1], b, wide, N)
