"""int8 weights for decoding: whole numbers from -127 to 127, and one scale for 64 neighbours.

A token that is decoded alone reads every weight for one multiplication and one addition, so memory
is the limit, and these weights are little more than a quarter of float32's bytes. Inputs and sums
stay float32: a weight is widened in a register, right before it is multiplied.

One scale for a whole row would be coarsened everywhere by the row's largest weight; with one for 32
weights, as in Q8_0, a kernel has twice as many scales to multiply by. q = 0 is the weight 0
(symmetric), so that no offset has to be multiplied by the sum of the inputs.

Source:  ggml's Q8_0 (ggml-quants.c, quantize_row_q8_0_ref): blocks of 32 with a float16 scale;
         Dettmers et al. 2022 (LLM.int8()), arXiv:2208.07339, section 2.1 (absmax quantization).
"""

from typing import NamedTuple

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import lower_builtin, type_callable

from minillm.config import require
from minillm.kernels.lanes import VECTOR_BYTES, Vector, across, blank, lanes, load, store
from minillm.kernels.matmul import FEW, SMALL, STRIP, matmul_nt
from minillm.kernels.twin import inline_ordered, twin

BLOCK = 64          # weights of a row that share a scale
LARGEST = 127       # of q; -128 is not used, so that both signs reach equally far
PIECE = 1 << 20     # weights that are quantized at a time
LEARN = "a step of learning is smaller than they can tell apart; train the float32 model"


class Int8(NamedTuple):
    """A matrix in place of a float32 one:  w[n, k] = scales[n, k // 64] q[n, k]"""
    q: np.ndarray           # (N, K) int8
    scales: np.ndarray      # (N, ceil(K / 64)) float32

    @property
    def shape(self):
        """(N, K)"""
        return self.q.shape

    @property
    def size(self):
        """The number of weights."""
        return self.q.size

    @property
    def nbytes(self):
        """The bytes of weights and scales."""
        return self.q.nbytes + self.scales.nbytes

    def __repr__(self):
        return f"Int8({self.q.shape[0]} x {self.q.shape[1]})"


def quantize(w):
    """Round each weight to a multiple of its block's scale, the largest weight to 127 of them.

        s = max |w| / 127,   q = round(w / s),   |w - s q| <= s / 2

    Shapes:  w (N, K) float32, finite -> Int8
    """
    starts, rows = np.arange(0, w.shape[1], BLOCK), max(1, PIECE // max(1, w.shape[1]))
    q, scales = np.empty(w.shape, np.int8), np.empty((len(w), len(starts)), np.float32)
    for n in range(0, len(w) if w.size else 0, rows):
        some, s = w[n:n + rows], scales[n:n + rows]
        s[:] = np.maximum.reduceat(np.abs(some), starts, axis=1) / LARGEST
        each = np.repeat(np.where(s > 0, s, 1), BLOCK, axis=1)[:, :w.shape[1]]
        q[n:n + rows] = np.clip(np.rint(some / each), -LARGEST, LARGEST)
    return Int8(q, scales)


def refuse_int8(w, reason):
    """Raises:  ValueError, with the reason, if a matrix is an Int8."""
    require(not isinstance(w, Int8), f"the model's weights are int8: {reason}")


def as_int8(w):
    """A matrix as Int8, whether it is one or not."""
    return w if isinstance(w, Int8) else quantize(w)


def dequantize_plain(q, scales):
    """The float32 weights that int8 ones stand for:  w = s q

    Shapes:  q (N, K) int8, scales (N, G) float32, one for 64 columns -> (N, K) float32
    """
    return q * np.repeat(scales, BLOCK, axis=1)[:, :q.shape[1]]


def widened(q, i):
    """The vector q[i], q[i + 1], ... of int8 numbers as float32. It must lie within the row."""
    n = VECTOR_BYTES // 4
    if not 0 <= i <= q.size - n:            # in Python only, as in load
        raise IndexError(f"a vector of {n} numbers at {i} of {q.size}")
    return q[i:i + n].astype(np.float32)


@inline_ordered
def widen_row(w, q, scales):
    """One row of dequantize, a vector at a time: a block is whole vectors."""
    n, K = lanes(w), q.size
    for k in range(0, K - n + 1, n):
        store(w, k, scales[k // BLOCK] * widened(q, k))
    for k in range(K // n * n, K):
        w[k] = scales[k // BLOCK] * np.float32(q[k])


@twin(plain=dequantize_plain, parallel=True)
def dequantize(q, scales):
    w = np.empty(q.shape, np.float32)
    for n in numba.prange(w.shape[0]):
        widen_row(w[n], q[n], scales[n])
    return w


@inline_ordered
def inner_int8(q, i, scales, j, x, at, size):
    """Inner product of a row of weights and x[at:at + size]; it begins at q[i] and scales[j].

        y = sum over blocks of  s  sum over the block of  q x
    """
    n, sums, k = lanes(x), blank(x), 0
    for g in range(j, j + size // BLOCK):
        block = widened(q, i + k) * load(x, at + k)
        for v in range(k + n, k + BLOCK, n):
            block = block + widened(q, i + v) * load(x, at + v)
        sums = sums + scales[g] * block
        k += BLOCK
    total = across(sums)
    for v in range(k, size):
        total += scales[j + size // BLOCK] * np.float32(q[i + v]) * x[at + v]
    return total


def product_of_few_plain(a, q, scales):
    """C = A W^T for few rows of A.

    Shapes:  a (M, K) float32, q (N, K) int8, scales (N, G) float32 -> c (M, N) float32
    """
    return a @ dequantize_plain(q, scales).T


@twin(plain=product_of_few_plain, parallel=True,
      few=lambda a, q, scales: a.size * q.shape[0] < SMALL)
def product_of_few(a, q, scales):
    (M, K), (N, G) = a.shape, scales.shape
    c = np.empty((M, N), a.dtype)
    x, numbers, of_blocks = a.reshape(M * K), q.reshape(N * K), scales.reshape(N * G)
    for strip in numba.prange((N + STRIP - 1) // STRIP):
        for n in range(STRIP * strip, min(STRIP * strip + STRIP, N)):
            for m in range(M):
                c[m, n] = inner_int8(numbers, n * K, of_blocks, n * G, x, m * K, K)
    return c


def int8_nt(a, weight, residual=None):
    """matmul_nt with int8 weights. Many rows are multiplied by floats: that repays widening them.

    Shapes:  a (M, K) float32, Int8 of (N, K), residual (M, N) or None -> c (M, N)
    """
    if len(a) >= FEW:
        return matmul_nt(a, dequantize(*weight), residual=residual)
    c = product_of_few(np.ascontiguousarray(a), *weight)
    return c if residual is None else c + residual


# From here on: how numba compiles them.

@type_callable(widened)
def type_widened(context):
    return lambda q, i: Vector(types.float32)


@lower_builtin(widened, types.Array, types.Integer)
def lower_widened(context, builder, sig, args):
    q, i = args
    vector = context.get_value_type(sig.return_type)
    bytes_type = ir.VectorType(ir.IntType(8), vector.count)
    address = builder.gep(context.make_array(sig.args[0])(context, builder, q).data, [i])
    numbers = builder.load(builder.bitcast(address, bytes_type.as_pointer()), align=1)
    return builder.sitofp(numbers, vector)
