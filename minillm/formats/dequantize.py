"""Quantized weights, as GGUF files hold them, back to float32.

The weights of a row are cut into blocks of 32 neighbours. A block keeps one scale d in float16 and,
of every weight, only a whole number q of a few bits: the weight is read as w = d q. With 4 bits, q
is one of 16 levels, and 32 weights take 2 + 16 bytes instead of 128: 4.5 bits a weight. Some types
keep the lowest level m too, w = d q + m, so that a block need not be symmetric about 0. The
K-quants have super-blocks of 256 weights: sub-blocks of 16 or 32 with a scale each, and these
scales are themselves whole numbers of 4 to 8 bits, times one float16 for all.

Each type's layout is a NumPy dtype; its first field is its first bytes. Where a number has more
bits than fit beside its neighbours, its low bits are in one field (`low`) and the others in another
(`high`). Two numbers of 4 bits in one byte are not neighbours: of 16 bytes the low halves are the
weights 0 to 15, the high halves 16 to 31.

Source:  ggml, ggml-common.h (layouts) and ggml-quants.c (dequantize_row_*).
"""

from typing import NamedTuple

import numpy as np

from minillm.formats.tensors import widened

PIECE = 1 << 17         # weights that are dequantized at a time; they stay in the processor's cache


class Quantization(NamedTuple):
    """One type of tensor data."""
    name: str               # as ggml calls it
    weights: int            # in a block
    block: np.dtype
    dequantize: object      # blocks (N,) of that dtype -> float32, of N * weights numbers

    @property
    def bits(self):
        """Bits that a weight takes, its share of the scales included."""
        return 8 * self.block.itemsize / self.weights


def parts(field, bits):
    """The numbers of so many bits in each byte: all the lowest first, then all the next.

        part_s = (byte >> s bits) mod 2^bits,     s = 0, 1, ... 8 / bits - 1

    Shapes:  field (..., bytes) uint8 -> (..., 8 / bits, bytes) uint8
    """
    shifts = np.arange(0, 8, bits, dtype=np.uint8)[:, None]
    return (field[..., None, :] >> shifts) & np.uint8(2**bits - 1)


def in_blocks(numbers, count):
    """The numbers of each block in `count` equal sub-blocks.  Shapes:  -> (N, count, rest)"""
    return numbers.reshape(len(numbers), count, -1)


def scale_of(field):
    """A float16 a block, to be multiplied with its weights.  Shapes:  (N,) -> (N, 1) float32"""
    return field.astype(np.float32)[:, None]


# Blocks of 32. The name tells the bits of q, and whether there is a minimum m beside the scale d.

Q4_0 = np.dtype([("d", "<f2"), ("low", "u1", 16)])
Q4_1 = np.dtype([("d", "<f2"), ("m", "<f2"), ("low", "u1", 16)])
Q5_0 = np.dtype([("d", "<f2"), ("high", "u1", 4), ("low", "u1", 16)])
Q5_1 = np.dtype([("d", "<f2"), ("m", "<f2"), ("high", "u1", 4), ("low", "u1", 16)])
Q8_0 = np.dtype([("d", "<f2"), ("q", "i1", 32)])


def levels(blocks):
    """q of 4 bits, or of 5: bit i of `high` is the fifth bit of weight i.

    Shapes:  (N,) -> (N, 32) int8, from 0 to 15 or 31
    """
    q = parts(blocks["low"], 4).reshape(-1, 32)
    if "high" in blocks.dtype.names:
        q |= np.unpackbits(blocks["high"], axis=-1, bitorder="little") << np.uint8(4)
    return q.view(np.int8)


def q4_0(blocks):
    """w = d (q - 8)"""
    return scale_of(blocks["d"]) * (levels(blocks) - np.int8(8)).astype(np.float32)


def q5_0(blocks):
    """w = d (q - 16)"""
    return scale_of(blocks["d"]) * (levels(blocks) - np.int8(16)).astype(np.float32)


def with_minimum(blocks):
    """w = d q + m"""
    w = levels(blocks).astype(np.float32)
    w *= scale_of(blocks["d"])
    w += scale_of(blocks["m"])
    return w


def q8_0(blocks):
    """w = d q, with q from -128 to 127"""
    return scale_of(blocks["d"]) * blocks["q"].astype(np.float32)


# Super-blocks of 256: sub-block i has the scale d scale_i, and some the minimum d_m minimum_i.

Q2_K = np.dtype([("scales", "u1", 16), ("low", "u1", (2, 32)), ("d", "<f2"), ("d_m", "<f2")])
Q3_K = np.dtype([("high", "u1", 32), ("low", "u1", (2, 32)), ("scales", "u1", 12), ("d", "<f2")])
Q4_K = np.dtype([("d", "<f2"), ("d_m", "<f2"), ("scales", "u1", (3, 4)), ("low", "u1", (4, 32))])
Q5_K = np.dtype([("d", "<f2"), ("d_m", "<f2"), ("scales", "u1", (3, 4)), ("high", "u1", 32),
                 ("low", "u1", (4, 32))])
Q6_K = np.dtype([("low", "u1", (2, 64)), ("high", "u1", (2, 32)), ("scales", "i1", 16),
                 ("d", "<f2")])


def scaled(blocks, q, scales, minimums=None):
    """w = d scale_i q  -  d_m minimum_i, for the weights of sub-block i

    Shapes:  q (N, 256 in any shape), scales and minimums (N, sub-blocks) -> (N, sub-blocks, rest)
    """
    w = in_blocks(q, scales.shape[1]).astype(np.float32)
    w *= (scale_of(blocks["d"]) * scales.astype(np.float32))[:, :, None]
    if minimums is not None:
        w -= (scale_of(blocks["d_m"]) * minimums.astype(np.float32))[:, :, None]
    return w


def q2_k(blocks):
    """16 sub-blocks of 16; q has 2 bits, the scale 4 (the low half of its byte), the minimum 4."""
    scales, minimums = in_blocks(parts(blocks["scales"], 4), 2).swapaxes(0, 1)
    return scaled(blocks, parts(blocks["low"], 2), scales, minimums)


def q3_k(blocks):
    """16 sub-blocks of 16; q has 3 bits and runs from -4 to 3, the scale 6 from -32 to 31.

    Of a scale, 4 bits are in the first 8 bytes and 2 in the last 4.
    """
    low, high = blocks["scales"][:, :8], blocks["scales"][:, 8:]
    scales = in_blocks(parts(low, 4), 1)[:, 0] | in_blocks(parts(high, 2), 1)[:, 0] << np.uint8(4)
    q = in_blocks(parts(blocks["low"], 2), 8) | parts(blocks["high"], 1) << np.uint8(2)
    return scaled(blocks, q.view(np.int8) - np.int8(4), scales.view(np.int8) - np.int8(32))


def six_bits(packed):
    """8 scales and 8 minimums of 6 bits in 12 bytes: those of sub-blocks 0 to 3 are the low bits of
    the first and the second 4 bytes. Of those of 4 to 7, 4 bits are in the halves of the last 4
    bytes, and the upper 2 are what is free in the others.

    Shapes:  (N, 3, 4) -> scales (N, 8), minimums (N, 8)
    """
    first, second, last = packed.swapaxes(0, 1)
    low, upper = np.uint8(63), np.uint8(0x30)
    scales = [first & low, last & np.uint8(15) | first >> np.uint8(2) & upper]
    minimums = [second & low, last >> np.uint8(4) | second >> np.uint8(2) & upper]
    return np.concatenate(scales, axis=1), np.concatenate(minimums, axis=1)


def q4_k(blocks):
    """8 sub-blocks of 32; q has 4 bits, scale and minimum have 6."""
    return scaled(blocks, parts(blocks["low"], 4), *six_bits(blocks["scales"]))


def q5_k(blocks):
    """The same with 5 bits: of byte i of `high`, bit j is the fifth bit of weight i of sub-block j.
    """
    q = in_blocks(parts(blocks["low"], 4), 8) | parts(blocks["high"], 1) << np.uint8(4)
    return scaled(blocks, q, *six_bits(blocks["scales"]))


def q6_k(blocks):
    """16 sub-blocks of 16; q has 6 bits and runs from -32 to 31, the scale 8."""
    low = in_blocks(parts(blocks["low"], 4), 8)
    q = low | in_blocks(parts(blocks["high"], 2), 8) << np.uint8(4)
    return scaled(blocks, q.view(np.int8) - np.int8(32), blocks["scales"])


# Floats: a "block" is one number.

def as_float32(numbers):
    """Numbers that NumPy knows."""
    return numbers.astype(np.float32)


# By their numbers in ggml.
TYPES = {
    0: Quantization("F32", 1, np.dtype("<f4"), as_float32),
    1: Quantization("F16", 1, np.dtype("<f2"), as_float32),
    2: Quantization("Q4_0", 32, Q4_0, q4_0),
    3: Quantization("Q4_1", 32, Q4_1, with_minimum),
    6: Quantization("Q5_0", 32, Q5_0, q5_0),
    7: Quantization("Q5_1", 32, Q5_1, with_minimum),
    8: Quantization("Q8_0", 32, Q8_0, q8_0),
    10: Quantization("Q2_K", 256, Q2_K, q2_k),
    11: Quantization("Q3_K", 256, Q3_K, q3_k),
    12: Quantization("Q4_K", 256, Q4_K, q4_k),
    13: Quantization("Q5_K", 256, Q5_K, q5_k),
    14: Quantization("Q6_K", 256, Q6_K, q6_k),
    30: Quantization("BF16", 1, np.dtype("<u2"), widened),
}

# Types that are not read, so that a message can name them.
OTHERS = {9: "Q8_1", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S",
          20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 24: "I8", 25: "I16", 26: "I32",
          27: "I64", 28: "F64", 29: "IQ1_M", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4", 40: "NVFP4",
          41: "Q1_0"}


def dequantize(blocks, quantization, into):
    """Write the weights of all blocks into an array, some at a time, so that little memory is used.

    Shapes:  blocks (N,) of the quantization's dtype, into: contiguous float32, N * weights numbers
    """
    flat, weights = into.reshape(-1), quantization.weights
    step = PIECE // weights
    with np.errstate(invalid="ignore", over="ignore"):     # infinite scales; the caller looks
        for start in range(0, len(blocks), step):
            w = quantization.dequantize(blocks[start:start + step])
            flat[start * weights:start * weights + w.size] = w.reshape(-1)
