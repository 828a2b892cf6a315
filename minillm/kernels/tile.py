"""The register tile that every large product of the package is made of."""

from minillm.kernels.lanes import blank, lanes, load, store
from minillm.kernels.twin import inline


@inline
def add_tile(c, c_step, a0, a1, a2, a3, b, fresh):
    """c[i c_step + j] += sum_k a_i[k] b[k, j] for 4 rows and two vectors of columns j; fresh: =, whatever c holds.

    The 8 vectors of sums stay in registers while k runs: a step of k reads 4 numbers of a and two vectors of b
    for 8 multiply-adds, and nothing is written until the end.
    Shapes:  a_i (K,), b (K * two vectors,) contiguous
    """
    n = lanes(c)
    c00 = c01 = c10 = c11 = c20 = c21 = c30 = c31 = blank(c)
    if not fresh:
        c00, c01, c10, c11 = load(c, 0), load(c, n), load(c, c_step), load(c, c_step + n)
        c20, c21 = load(c, 2 * c_step), load(c, 2 * c_step + n)
        c30, c31 = load(c, 3 * c_step), load(c, 3 * c_step + n)
    for k in range(a0.size):
        b0, b1 = load(b, 2 * k * n), load(b, (2 * k + 1) * n)
        c00, c01 = c00 + a0[k] * b0, c01 + a0[k] * b1
        c10, c11 = c10 + a1[k] * b0, c11 + a1[k] * b1
        c20, c21 = c20 + a2[k] * b0, c21 + a2[k] * b1
        c30, c31 = c30 + a3[k] * b0, c31 + a3[k] * b1
    store(c, 0, c00), store(c, n, c01), store(c, c_step, c10), store(c, c_step + n, c11)
    store(c, 2 * c_step, c20), store(c, 2 * c_step + n, c21)
    store(c, 3 * c_step, c30), store(c, 3 * c_step + n, c31)
