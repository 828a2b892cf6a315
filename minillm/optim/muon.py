"""Muon: a matrix moves by its mean gradient with all singular values brought near 1."""

import math
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numba
import numpy as np

from minillm import tree
from minillm.kernels.adamw import sum_of_squares
from minillm.kernels.bfloat16 import BFLOAT16, as_factor
from minillm.kernels.matmul import matmul_nn, matmul_nt, matmul_tn
from minillm.kernels.newton_schulz import newton_schulz
from minillm.optim.adamw import adamw_update, is_frozen

# One odd polynomial a s + b s^3 + c s^5 of the singular values an iteration. Each has the smallest
# largest |p(s) - 1| where the one before it leads [0.01, 1]: after three, within 0.73 and 1.27.
# A smaller value is multiplied by up to 78: it is mostly noise, and stays small.
POLYNOMIALS = ((8.0934, -23.6204, 17.4462), (3.6366, -2.7219, 0.5365), (2.6613, -1.9772, 0.4526))

SMALL = 1 << 17     # numbers: with more, a matrix's products repay all threads
MOST = 1 << 22      # numbers that move together, so that few mean gradients are there at once
RMS = 0.2           # root mean square of an update's numbers, which is about that of AdamW's


def orthogonalized(matrix, precision="float32"):
    """The nearest matrix with orthonormal rows (or columns), U Vᵀ of M = U S Vᵀ, roughly.

        X = M / |M|,   three times  X = a X + b (X Xᵀ) X + c (X Xᵀ)² X

    A product of X with itself has the same U and V, so each iteration is a polynomial of the
    singular values alone. X Xᵀ or, for a tall matrix, Xᵀ X: of the shorter side.
    precision: of the factors of the products; sums are float32 (or float64, as the matrix is).
    Shapes:  (M, N) -> (M, N)
    Source:  Bernstein & Newhouse 2024, arXiv:2409.20325 (Newton-Schulz for this); Amsel et al.
             2025, arXiv:2505.16932 (the best polynomials, one after the other).
    """
    real, tall, x = matrix.dtype.type, matrix.shape[0] > matrix.shape[1], normed(matrix)
    for a, b, c in POLYNOMIALS:
        factor = as_factor(x, precision)
        gram = matmul_tn(factor, factor) if tall else matmul_nt(factor, factor)
        inner = matmul_nn(as_factor(real(c) * gram, precision), as_factor(gram, precision),
                          into=real(b) * gram)
        pair = factor, as_factor(inner, precision)
        x = matmul_nn(*(pair if tall else pair[::-1]), into=real(a) * x)
    return x


def normed(matrix):
    """M / |M|, by the Frobenius norm: no singular value is larger. 0 stays 0."""
    norm = math.sqrt(sum_of_squares(matrix.reshape(-1)))
    return matrix * matrix.dtype.type(1 / norm if norm > 0 else 0)


def each_orthogonalized(matrices, precision="float32"):
    """orthogonalized of each matrix; to the bit if 8 divides both of its sides.

    Small ones are computed side by side, each by one thread (kernels/newton_schulz.py).
    Shapes:  [(M, N)] -> [(M, N)]
    """
    fast = matmul_nt not in (matmul_nt.plain, matmul_nt.loops)
    even = precision == "float32" or all(not side % 2 for m in matrices for side in m.shape)
    small = all(matrix.size <= SMALL for matrix in matrices)
    if not (matrices and fast and even and small):
        return [orthogonalized(matrix, precision) for matrix in matrices]
    results = [normed(matrix) for matrix in matrices]
    polynomials = np.array(POLYNOMIALS, results[0].dtype)

    def iterate(some):
        for x in some:
            newton_schulz(x, np.empty(x.shape, BFLOAT16 if precision == "bfloat16" else x.dtype),
                          polynomials)
    threads, by_size = numba.get_num_threads(), sorted(results, key=np.size)
    shares = [by_size[i::threads] for i in range(threads)]
    others = [pool_of(threads).submit(iterate, share) for share in shares[1:]]
    iterate(shares[0])
    for other in others:
        other.result()
    return results


@cache
def pool_of(threads):
    """Threads that wait for work until the process ends."""
    return ThreadPoolExecutor(threads)


def is_muons(name, param):
    """Whether Muon moves a parameter: the matrices of the blocks. AdamW moves the vectors, the
    tables (embedding and head), in which each row belongs to one token, and the two factors of an
    adapter: equal singular values of B and of A would not make those of their product equal.
    """
    parts = name.split(".")
    return param.ndim == 2 and "blocks" in parts and "lora" not in parts


def muon_moments(params):
    """Trees with the shapes of the moments: no mean square of Muon's matrices, which need none.

    Shapes:  {"mean": as params, "square": as params, or (0,)}
    """
    squares = {name: np.empty(0, param.dtype) if is_muons(name, param) else param
               for name, param in tree.named_leaves(params)}
    names = iter(squares)
    return {"mean": params, "square": tree.tree_map(lambda _: squares[next(names)], params)}


def muon_init(params):
    """Moments at zero, no step taken."""
    return {**tree.zeros_like(muon_moments(params)), "step": 0}


def muon_update(params, grads, state, lr, settings, scale=1.0, frozen=()):
    """Take one step, in place: the matrices of the blocks by Muon, all others by AdamW.

        g = scale * grad,   m = b1 m + (1 - b1) g,   O = orthogonalized(b1 m + (1 - b1) g)
        w = w - lr (0.2 sqrt(max(M, N)) O + decay w)            Shapes:  w (M, N)

    The factor gives the update the size of AdamW's, so one learning rate and one decay serve both.
    scale, frozen: as in adamw_update.
    Source:  Jordan et al. 2024, kellerjordan.github.io/posts/muon (Muon, Nesterov's momentum);
             Liu et al. 2025, arXiv:2502.16982, section 2.2 (factor and decay).
    """
    ours = {name for name, param in tree.named_leaves(params) if is_muons(name, param)}
    adamw_update(params, grads, state, lr, settings, scale, (*frozen, *ours))
    together, numbers = [], 0
    for name, param, grad, mean in tree.zipped(params, grads, state["mean"]):
        if name in ours and not is_frozen(name, frozen):
            real = param.dtype.type
            beta1, g = real(settings.beta1), real((1 - settings.beta1) * scale) * grad
            mean *= beta1
            mean += g
            together.append((param, beta1 * mean + g))
            numbers += param.size
            if numbers > MOST:
                move(together, lr, settings)
                together, numbers = [], 0
    move(together, lr, settings)


def move(pairs, lr, settings):
    """muon_update of some matrices, each with the mean gradient that it moves by."""
    updates = each_orthogonalized([mean for _, mean in pairs], settings.precision)
    for (param, _), update in zip(pairs, updates):
        real = param.dtype.type
        param *= real(1 - lr * settings.weight_decay)
        param -= real(lr * RMS * math.sqrt(max(param.shape))) * update
