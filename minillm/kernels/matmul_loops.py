"""The matrix product as readable loops: the five loops around the micro-kernel, as in BLIS.

A number that stays in a cache is read from memory once and used many times. So C is computed block
by block, in an order in which each block stays in the cache that has its size:

    an NR-wide micro-panel of B     first-level cache
    an MC x KC block of A           second-level cache
    a KC x NC block of B            last-level cache
    an MR x NR tile of C            a small array here, registers in the fast kernel

Packing copies a block into the order in which the micro-kernel reads it. A transposed factor is a
view with its strides swapped, packed like any other, so one product serves A B, A B^T and A^T B.

Source:  Van Zee & van de Geijn 2015, doi:10.1145/2764454 (BLIS).
"""

import numpy as np

from minillm.kernels.bfloat16 import to_float32
from minillm.kernels.twin import ordered, serial

MC = 64     # rows of A and C in a block
KC = 128    # steps of k in a block
NC = 256    # columns of B and C in a block
MR = 4      # rows of a register tile
NR = 16     # columns of a register tile


@ordered
def pack(block, width):
    """panels[p, k, j] = block[k, p * width + j], with zeros beyond the last column."""
    depth, columns = block.shape
    panels = np.zeros(((columns + width - 1) // width, depth, width), block.dtype)
    for k in range(depth):
        for j in range(columns):
            panels[j // width, k, j % width] = block[k, j]
    return panels


@ordered
def add_scaled(target, factor, row):
    """target += factor * row. Passing single rows lets LLVM vectorize this loop."""
    for j in range(row.size):
        target[j] += factor * row[j]


@ordered
def micro_kernel(c, a, b):
    """C += A B for one tile: every step of k adds a column of A times a row of B.

    Shapes:  a (kc, MR), b (kc, NR), c at most (MR, NR): less at the edges of the product
    """
    tile = np.zeros((MR, NR), c.dtype)
    for k in range(a.shape[0]):
        for i in range(MR):
            add_scaled(tile[i], a[k, i], b[k])
    for i in range(c.shape[0]):
        for j in range(c.shape[1]):
            c[i, j] += tile[i, j]


@ordered
def macro_kernel(c, packed_a, packed_b):
    """C += A B for one block of C, tile by tile."""
    for p in range(packed_b.shape[0]):                              # loop 2: micro-panels of B
        for q in range(packed_a.shape[0]):                          # loop 1: micro-panels of A
            tile = c[q * MR:(q + 1) * MR, p * NR:(p + 1) * NR]
            micro_kernel(tile, packed_a[q], packed_b[p])


@serial
def add_product(c, a, b):
    """C += A B.  Shapes:  a (M, K), b (K, N), c (M, N), all with any strides"""
    for j in range(0, b.shape[1], NC):                              # loop 5
        for k in range(0, b.shape[0], KC):                          # loop 4
            packed_b = pack(b[k:k + KC, j:j + NC], NR)
            for i in range(0, a.shape[0], MC):                      # loop 3
                packed_a = pack(a[i:i + MC, k:k + KC].T, MR)
                macro_kernel(c[i:i + MC, j:j + NC], packed_a, packed_b)


def product(a, b, into, residual):
    """`into` + A B in place, or A B + residual, or A B."""
    a, b, c = to_float32(a), to_float32(b), into
    if c is None:
        c = np.zeros((a.shape[0], b.shape[1]), a.dtype) if residual is None else residual.copy()
    add_product(c, a, b)
    return c


def matmul_nt(a, b, into=None, residual=None):
    """C = A B^T + residual.  Shapes:  a (M, K), b (N, K) -> c (M, N)"""
    return product(a, b.T, into, residual)


def matmul_nn(a, b, into=None):
    """C = A B.  Shapes:  a (M, K), b (K, N) -> c (M, N)"""
    return product(a, b, into, None)


def matmul_tn(a, b, into=None):
    """C = A^T B.  Shapes:  a (K, M), b (K, N) -> c (M, N)"""
    return product(a.T, b, into, None)
