"""Steps of a matrix product: what one multiply-add takes from each factor.

Of float factors a step of k is one number. Of bfloat16 factors it is a pair of numbers in 32 bits,
k = 2s in the lower half and k = 2s + 1 in the upper one: an instruction of AVX512-BF16 multiplies
two pairs and adds both products to a float32 sum, so it does twice the work of a float32 one.

With the functions below one source serves both. Other processors take the pair apart. A product of
two bfloat16 numbers is exact in float32, and both ways add the upper one first, so the sums are the
same to the bit (unless a number is below 1e-38, which the instruction takes for 0).

Source:  Intel 64 and IA-32 Architectures Software Developer's Manual, VDPBF16PS.
"""

import numpy as np
from llvmlite import binding, ir
from numba.core import cgutils, types
from numba.extending import lower_builtin, overload, type_callable

from minillm.kernels.lanes import VECTOR_BYTES, Vector, load, processor_has

DOT_OF_PAIRS = processor_has("avx512bf16") and processor_has("avx512f")
UPPER = np.uint32(0xFFFF0000)


def step_size(row):
    """How many numbers of k one step holds: 1 of floats, 2 of bfloat16."""
    return 2 if row.dtype == np.uint16 else 1


def steps(rows):
    """An array as steps along its last axis: floats as they are, pairs of bfloat16 as uint32.

    Its last axis must be contiguous and, of bfloat16, even.
    """
    return rows.view(np.uint32) if rows.dtype == np.uint16 else rows


def load_step(row, i, width):
    """A vector of steps along a row, from row[i]: two rows of bfloat16, `width` apart, give pairs.

    Where there is no second row, zeros take its place.
    """
    if row.dtype != np.uint16:
        return load(row, i)
    n = VECTOR_BYTES // 4
    upper = row[i + width:i + width + n] if i + width < row.size else np.zeros(n, np.uint16)
    return row[i:i + n].astype(np.uint32) | upper.astype(np.uint32) << 16


def step_at(row, i, width):
    """One step of load_step: row[i], or the pair of row[i] and row[i + width]."""
    if row.dtype != np.uint16:
        return row[i]
    return np.uint32(row[i]) | np.uint32(row[i + width] if i + width < row.size else 0) << 16


def halves(step):
    """The two numbers of a pair, or of a vector of pairs, as float32: (upper, lower)."""
    return (step & UPPER).view(np.float32), (step << np.uint32(16)).view(np.float32)


def multiply_add(sums, x, y):
    """sums + x y; of pairs, sums + x_upper y_upper + x_lower y_lower.

    Of vectors lane by lane, or of one number (or pair) of each.
    """
    if x.dtype != np.uint32:
        return sums + x * y
    (x_upper, x_lower), (y_upper, y_lower) = halves(x), halves(y)
    return sums + x_upper * y_upper + x_lower * y_lower


# From here on: how numba compiles them.

@overload(step_size)
def compile_step_size(row):
    size = 2 if row.dtype == types.uint16 else 1
    return lambda row: size


@overload(steps)
def compile_steps(rows):
    if rows.dtype == types.uint16:
        return lambda rows: rows.view(np.uint32)
    return lambda rows: rows


@overload(load_step)
def compile_load_step(row, i, width):
    if row.dtype == types.uint16:
        return lambda row, i, width: _pairs(row, i, i + width, i + width < row.size)
    return lambda row, i, width: load(row, i)


@overload(step_at)
def compile_step_at(row, i, width):
    def pair(row, i, width):
        upper = row[i + width] if i + width < row.size else 0
        return np.uint32(row[i] | upper << 16)
    return pair if row.dtype == types.uint16 else lambda row, i, width: row[i]


@overload(multiply_add)
def compile_multiply_add(sums, x, y):
    def of_pairs(sums, x, y):
        upper, shift = UPPER, 16
        sums += np.uint32(x & upper).view(np.float32) * np.uint32(y & upper).view(np.float32)
        lower = np.uint32(x << shift).view(np.float32) * np.uint32(y << shift).view(np.float32)
        return sums + lower
    if isinstance(x, Vector):       # lower_multiply_add
        return None
    return of_pairs if x == types.uint32 else lambda sums, x, y: sums + x * y


def _pairs(row, i, j, both):
    """A vector of pairs (row[i], row[j]), or (row[i], 0) unless `both`; in compiled code alone."""


@type_callable(_pairs)
def type_pairs(context):
    return lambda row, i, j, both: Vector(types.uint32)


@lower_builtin(_pairs, types.Array, types.Integer, types.Integer, types.Boolean)
def lower_pairs(context, builder, sig, args):
    row, i, j, both = args
    pair_type = context.get_value_type(sig.return_type)
    half_type = ir.VectorType(ir.IntType(16), pair_type.count)
    data = context.make_array(sig.args[0])(context, builder, row).data

    def half(at):
        address = builder.bitcast(builder.gep(data, [at]), half_type.as_pointer())
        return builder.zext(builder.load(address, align=2), pair_type)
    lower, begin = half(i), builder.block
    with builder.if_then(both):
        upper = builder.shl(half(j), ir.Constant(pair_type, [16] * pair_type.count))
        joined, end = builder.or_(lower, upper), builder.block
    result = builder.phi(pair_type)
    result.add_incoming(lower, begin)
    result.add_incoming(joined, end)
    return result


@type_callable(multiply_add)
def type_multiply_add(context):
    return lambda sums, x, y: sums if isinstance(sums, Vector) and x == y else None


@lower_builtin(multiply_add, Vector, Vector, Vector)
def lower_multiply_add(context, builder, sig, args):
    sums, x, y = args
    if sig.args[1].element != types.uint32:
        return _add_product(builder, sums, x, y)
    if DOT_OF_PAIRS:
        return _dot_of_pairs(builder, sums, x, y)
    upper = ir.Constant(x.type, [int(UPPER)] * x.type.count)
    shift = ir.Constant(x.type, [16] * x.type.count)
    for take, bits in ((builder.and_, upper), (builder.shl, shift)):
        sums = _add_product(builder, sums, *(builder.bitcast(take(pair, bits), sums.type)
                                             for pair in (x, y)))
    return sums


def _add_product(builder, sums, x, y):
    return builder.fadd(sums, builder.fmul(x, y, flags=("contract",)), flags=("contract",))


class _BFloat(ir.Type):
    """LLVM's type bfloat, which llvmlite lacks."""

    def _to_string(self):
        return "bfloat"

    def __eq__(self, other):
        return isinstance(other, _BFloat)

    def __hash__(self):
        return hash(_BFloat)


def _dot_of_pairs(builder, sums, x, y):
    """The instruction. Its factors are of bfloat in LLVM 16 and later, and integers before."""
    factor = x.type
    if binding.llvm_version_info[0] >= 16:
        factor = ir.VectorType(_BFloat(), 2 * x.type.count)
    instruction = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(sums.type, [sums.type, factor, factor]),
        "llvm.x86.avx512bf16.dpbf16ps.512")
    return builder.call(instruction, [sums, *(builder.bitcast(pair, factor) for pair in (x, y))])
