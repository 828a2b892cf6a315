"""bfloat16: the upper 16 bits of a float32, so 8 bits of precision with float32's range.

NumPy has no such dtype. Here an array of uint16 holds bfloat16 numbers, bit for bit, and nothing
else does. Factors of matrix products are rounded to it; sums stay float32.

Source:  Kalamkar et al. 2019, arXiv:1905.12322.
"""

import numba
import numpy as np

from minillm.kernels.twin import inline, twin

BFLOAT16 = np.uint16
CHUNK = 16384       # numbers that a thread takes at a time
FEW = 1 << 16       # numbers: fewer do not repay a second thread


def to_bfloat16_plain(x):
    """Round to the nearest bfloat16; of two that are equally near, to the one whose last bit is 0.

    The relative error is at most 2^-8: half a unit in the last of 8 bits. NaN stays NaN.
    Shapes:  float32 of any shape -> uint16 of the same
    """
    bits = np.ascontiguousarray(x).view(np.uint32)
    nearest = bits + np.uint32(0x7FFF) + (bits >> 16 & np.uint32(1))    # a tie goes to the even one
    quiet = bits | np.uint32(0x400000)              # adding could carry a NaN over to 0
    return (np.where(np.isnan(x), quiet, nearest) >> 16).astype(BFLOAT16)


@inline
def round_bits(bits, some):
    """One chunk of to_bfloat16, on the bits of its numbers."""
    for i in range(bits.size):
        number = bits[i]        # numba makes sums of uint32 uint64, which takes twice the vectors
        nearest = np.uint32(number + np.uint32(0x7FFF) + np.uint32(np.uint32(number >> 16) & 1))
        is_nan = np.uint32(number & np.uint32(0x7FFFFFFF)) > np.uint32(0x7F800000)
        chosen = np.uint32(number | np.uint32(0x400000)) if is_nan else nearest
        some[i] = np.uint16(chosen >> 16)


@twin(plain=lambda bits: to_bfloat16_plain(bits.view(np.float32)), parallel=True,
      few=lambda bits: bits.size < FEW)
def _to_bfloat16(bits):
    rounded = np.empty(bits.size, np.uint16)
    for n in numba.prange((bits.size + CHUNK - 1) // CHUNK):
        part = slice(n * CHUNK, min((n + 1) * CHUNK, bits.size))
        round_bits(bits[part], rounded[part])
    return rounded


def to_bfloat16(x):
    return _to_bfloat16(np.ascontiguousarray(x).reshape(-1).view(np.uint32)).reshape(x.shape)


to_bfloat16.__doc__ = to_bfloat16_plain.__doc__


def to_float32(x):
    """The numbers that an array of bfloat16 holds, exactly; an array of floats as it is.

    Shapes:  uint16 of any shape -> float32 of the same
    """
    return (x.astype(np.uint32) << 16).view(np.float32) if x.dtype == BFLOAT16 else x


def precision_of(x):
    """The precision that a factor has been given: "float32" or "bfloat16"."""
    return "bfloat16" if x.dtype == BFLOAT16 else "float32"


def as_factor(x, precision):
    """A tensor as a factor of matrix products: rounded if precision is "bfloat16", else as it is.

    A tensor that is rounded already stays as it is. One that three layers read is rounded once.
    Raises:  ValueError for "bfloat16" of what is not float32.
    """
    if precision == "float32" or x.dtype == BFLOAT16:
        return x
    if x.dtype != np.float32:
        raise ValueError(f"a tensor of {x.dtype} cannot be rounded to bfloat16; it must be float32")
    return to_bfloat16(x)
