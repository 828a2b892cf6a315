"""The fast matrix product: packed panels, blocks that fit the caches, a register tile, all threads.

A ladder to it, in GFLOP/s for 768 x 768 x 768 on two cores (benchmarks/matmul.py runs every rung):

    three plain loops                2
    row by row                      26   the inner loop reads contiguous memory: LLVM vectorizes it
    in blocks that fit the cache    14   alone, blocks cost more than they save at this size
    register tiles of 4 rows        89   each loaded number is used 4 or 32 times
    register tiles of 8 rows       103   each is used 8 or 32 times
    on both threads                180   BLAS: 192
    in bfloat16                    382

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

The factors are floats, or bfloat16 numbers, which are read as pairs. What one multiply-add takes of
them is called a step of k: a number or a pair (steps.py).

Each thread computes a part of C and packs B for itself: reading what another core has just written
is slower than packing it again. One thread sums each element of C, in an order that depends only on
the shapes, so the result does not depend on the number of threads.

Source:  Van Zee & van de Geijn 2015, doi:10.1145/2764454 (BLIS).
"""

import math

import numba
import numpy as np

from minillm.kernels.lanes import (MR, VECTOR_BYTES, across, blank, lanes, load, store,
                                   transpose_square)
from minillm.kernels.steps import load_step, multiply_add, step_at, step_size, steps
from minillm.kernels.tile import micro_kernel
from minillm.kernels.twin import inline, ordered, parallel

# NR, the columns of a register tile, is two vectors: 2 * lanes(c). It depends on the dtype.
GROUP = MR * VECTOR_BYTES // 4 // math.gcd(MR, VECTOR_BYTES // 4)   # rows: whole tiles and vectors
MC = 128 // GROUP * GROUP   # rows of a block of A: MC x KC stay in the second-level cache
KC = 192    # steps of k in a block: KC x NR of a micro-panel stay in the first-level cache
KB = 768    # steps of k for which B is packed at a time, a multiple of KC
NC = 768    # columns of B that are packed at a time: KB x NC steps stay in the last-level cache
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
    """Columns start <= j < stop of C = A B^T, as dot products; 4 columns share each load of A.

    Shapes:  c (M, N), a (M, S) and b (N, S) as steps
    """
    n, last = lanes(a), b.shape[0] - 1
    whole = a.shape[1] // n * n
    for j in range(start, stop, 4):
        b0, b1, b2, b3 = b[j], b[min(j + 1, last)], b[min(j + 2, last)], b[min(j + 3, last)]
        for i in range(a.shape[0]):
            row, s0 = a[i], blank(c)
            s1, s2, s3 = s0, s0, s0
            for k in range(0, whole, n):
                some = load(row, k)
                s0, s1 = multiply_add(s0, some, load(b0, k)), multiply_add(s1, some, load(b1, k))
                s2, s3 = multiply_add(s2, some, load(b2, k)), multiply_add(s3, some, load(b3, k))
            sums = (across(s0), across(s1), across(s2), across(s3))
            for m in range(min(4, stop - j)):
                total = sums[m]
                for k in range(whole, row.size):
                    total = multiply_add(total, row[k], b[j + m, k])
                c[i, j + m] = total


@ordered
def pack_b(panels, b, transposed, s0, depth, j0, width):
    """panels[p, s * NR + j] = B[s0 + s, j0 + p * NR + j], where b holds B, or B^T if transposed.

    s counts steps of k. The last micro-panel is padded with zeros.
    """
    n, NR, flat = lanes(panels), 2 * lanes(panels), b.reshape(b.size)
    if width % NR:
        panels[width // NR] = 0
    if transposed:
        in_steps, K = steps(flat), b.shape[1] // step_size(b)
        for j in range(0, width, n):
            target, at = panels[j // NR, j % NR:], (j0 + j) * K + s0
            whole = depth // n * n if j + n <= width else 0
            for s in range(0, whole, n):
                transpose_square(target, s * NR, NR, in_steps, at + s, K)
            for i in range(min(n, width - j)):
                for s in range(whole, depth):
                    target[s * NR + i] = in_steps[at + i * K + s]
    else:
        N, per_step = b.shape[1], step_size(b)
        for s in range(depth):
            at = (s0 + s) * per_step * N + j0
            for p in range(width // NR):
                target = panels[p]
                store(target, s * NR, load_step(flat, at, N))
                store(target, s * NR + n, load_step(flat, at + n, N))
                at += NR
            for j in range(width % NR):
                panels[width // NR, s * NR + j] = step_at(flat, at + j, N)


@ordered
def pack_a(packed, a, i0, i1, s0, depth):
    """packed[g, s * GROUP + r] = A[i0 + g * GROUP + r, s0 + s], where a holds A^T.

    A group g is whole register tiles and whole vectors of rows. Rows beyond i1 are left unset.
    """
    n, M, flat, per_step = lanes(packed), a.shape[1], a.reshape(a.size), step_size(a)
    for s in range(depth):
        at = (s0 + s) * per_step * M + i0
        rows = i1 - i0
        for g in range((rows + GROUP - 1) // GROUP):
            target, left = packed[g], min(GROUP, rows - g * GROUP)
            for r in range(0, left - n + 1, n):
                store(target, s * GROUP + r, load_step(flat, at + r, M))
            for r in range(left // n * n, left):
                target[s * GROUP + r] = step_at(flat, at + r, M)
            at += GROUP


@ordered
def copy(into, source):
    """into = source. An assignment would compile an error message as well: 3 seconds."""
    for i in range(into.shape[0]):
        row, other = into[i], source[i]
        for j in range(row.size):
            row[j] = other[j]


@ordered
def edge_kernel(c, a, row, step, b, depth):
    """micro_kernel at the right and lower edges of C, where c is smaller than MR x NR.

    The whole tile is computed in a buffer, with zeros in place of the rows that A does not have.
    It begins with what lies in c, so that sums are added in the same order as elsewhere.
    """
    (rows, width), NR = c.shape, 2 * lanes(c)
    tile = np.zeros(MR * NR, c.dtype)
    for i in range(rows):
        source, sums = c[i], tile[NR * i:NR * i + width]
        for j in range(width):
            sums[j] = source[j]
    if rows < MR:
        padded = np.zeros(MR * depth, a.dtype)
        for k in range(depth):
            for i in range(rows):
                padded[k * MR + i] = a[i * row + k * step]
        a, row, step = padded, 1, MR
    micro_kernel(tile, NR, a, row, step, b, depth, False)
    for i in range(rows):
        target, sums = c[i], tile[NR * i:NR * i + width]
        for j in range(width):
            target[j] = sums[j]


@ordered
def macro_kernel(c, a, a_transposed, panels, i0, i1, s0, depth, j0, width):
    """C += A B for rows i0 <= i < i1, `depth` steps of k from s0 and `width` columns from j0."""
    N, NR, flat = c.shape[1], 2 * lanes(c), c.reshape(c.size)
    groups = (i1 - i0 + GROUP - 1) // GROUP if a_transposed else 0
    packed = np.empty((groups, GROUP * KC + GROUP), panels.dtype)
    in_place = steps(a.reshape(a.size)[:0 if a_transposed else a.size])
    K = a.shape[1] // step_size(a)      # steps of a row that is read in place
    for s1 in range(s0, s0 + depth, KC):
        kc = min(KC, s0 + depth - s1)
        if a_transposed:
            pack_a(packed, a, i0, i1, s1, kc)
        for p in range((width + NR - 1) // NR):             # loop 2
            b, j = panels[p, (s1 - s0) * NR:], j0 + p * NR
            for i in range(i0, i1, MR):                     # loop 1
                if a_transposed:
                    some, row, step = packed[(i - i0) // GROUP, (i - i0) % GROUP:], 1, GROUP
                else:
                    some, row, step = in_place[i * K + s1:], K, 1
                if i + MR <= i1 and j + NR <= N:
                    micro_kernel(flat[i * N + j:], N, some, row, step, b, kc, False)
                else:
                    edge_kernel(c[i:min(i + MR, i1), j:j + NR], some, row, step, b, kc)


@ordered
def add_part(c, a, a_transposed, b, b_transposed, residual, fresh, rows, columns):
    """The part of C in these rows and columns, with packed panels of its own."""
    NR, K = 2 * lanes(c), a.shape[0] if a_transposed else a.shape[1]
    S = (K + step_size(a) - 1) // step_size(a)
    widest = min(columns[1] - columns[0], NC)
    # One step more than is used: panels 2^n bytes apart would map to the same cache sets.
    panels = np.empty(((widest + NR - 1) // NR, (min(S, KB) + 1) * NR),
                      steps(a.reshape(a.size)[:0]).dtype)
    for j0 in range(columns[0], columns[1], NC):            # loop 5
        width = min(NC, columns[1] - j0)
        for s0 in range(0, max(S, 1), KB):                  # loop 4
            depth = min(KB, S - s0)
            pack_b(panels, b, b_transposed, s0, depth, j0, width)
            for i0 in range(rows[0], rows[1], MC):          # loop 3
                i1 = min(i0 + MC, rows[1])
                if s0 == 0 and residual.size:
                    copy(c[i0:i1, j0:j0 + width], residual[i0:i1, j0:j0 + width])
                elif s0 == 0 and fresh:     # row by row: a tile's rows lie in distant cache lines
                    c[i0:i1, j0:j0 + width] = 0
                macro_kernel(c, a, a_transposed, panels, i0, i1, s0, depth, j0, width)


@parallel
def add_product(c, a, a_transposed, b, b_transposed, residual, fresh, threads):
    """C += A B; C = A B + residual where residual is not empty; C = A B where C is fresh memory.

    a holds A, or A^T if a_transposed; b holds B, or B^T if b_transposed. Both are floats, or both
    are bfloat16 (uint16); then a row along which k runs must have an even length.
    """
    (M, N), NR = c.shape, 2 * lanes(c)
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
            dots(c[i0:i1], steps(a[i0:i1]), steps(b), wide, N)
