"""The exponential of the kernels: a polynomial that LLVM vectorizes; libm takes one value."""

import math

import numba
import numpy as np
from numba.extending import overload

# All are numbers without a unit.
LOG2_E = np.float32(1 / math.log(2))
LN_2_HIGH = np.float32(0.693359375)                         # few bits, so n * LN_2_HIGH is exact
LN_2_LOW = np.float32(math.log(2) - 0.693359375)            # the rest of log 2
LOWEST, HIGHEST = np.float32(-87.33), np.float32(88.37)     # beyond them e^x is 0 and infinity
# Coefficients of r^2, r^3, ...: near 1 / 2!, 1 / 3!, ..., fitted to the whole range of r.
C2, C3 = np.float32(0.5), np.float32(0.16666648)
C4, C5, C6 = np.float32(0.041665795), np.float32(0.0083368955), np.float32(0.0013999)


def exp(x):
    """e^x. Compiled, it is a polynomial for float32 (relative error 2e-7) and libm's for float64.

    Shapes:  () -> ()
    """
    return np.exp(x)


# reassoc would merge LN_2_HIGH and LN_2_LOW
@numba.njit(error_model="numpy", fastmath={"contract"}, forceinline=True)
def exp_polynomial(x):
    """e^x = 2^n e^r with n = round(x / ln 2), |r| <= ln 2 / 2; n becomes the float's exponent bits.

    Shapes:  () float32 -> () float32
    """
    n = np.floor(x * LOG2_E + np.float32(0.5))
    r = x - n * LN_2_HIGH - n * LN_2_LOW
    tail = C2 + r * (C3 + r * (C4 + r * (C5 + r * C6)))
    bounded = min(max(n, np.float32(-126)), np.float32(127))
    power = np.int32((np.int32(bounded) + np.int32(127)) << np.int32(23)).view(np.float32)
    y = (r * r * tail + r + np.float32(1)) * power
    y = np.float32(0) if x < LOWEST else y
    return np.float32(np.inf) if x > HIGHEST else y


@overload(exp)
def exp_by_type(x):
    """Choose the polynomial or libm by the dtype, when a kernel is compiled."""
    if x == numba.types.float32:
        return lambda x: exp_polynomial(x)
    return lambda x: math.exp(x)
