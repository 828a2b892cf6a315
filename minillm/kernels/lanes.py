"""Vectors as values: the numbers that one register holds, on which one instruction works.

numba vectorizes simple loops by itself, but it cannot keep a tile of sums in registers during a
loop. With vectors as values it can: `sums = sums + a * b` is one multiply-add for all lanes. Under
NUMBA_DISABLE_JIT=1 a vector is a small NumPy array, and the functions below run as they are.

The first half of this file is what kernels call, the second half teaches numba to compile it.
"""

import operator

import numpy as np
from llvmlite import ir
from numba.core import codegen, config, types
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import lower_builtin, models, overload, register_model, type_callable


def processor_has(feature):
    """True if numba compiles for a processor with this feature, by LLVM's name: "avx512f"."""
    features = config.CPU_FEATURES or codegen.get_host_cpu_features()
    return f"+{feature}" in features.split(",")


# Bytes of a vector, and rows of a register tile, whose columns are two vectors. AVX-512 has 32
# registers of 64 bytes: 16 for the sums. AVX2 has 16 of 32 bytes: 12 for the sums.
VECTOR_BYTES, MR = (64, 8) if processor_has("avx512f") else (32, 6)


def lanes(row):
    """How many numbers of the row's dtype one vector holds."""
    return VECTOR_BYTES // row.itemsize


def load(row, i):
    """The vector row[i], row[i + 1], ... of a contiguous 1-D array. It must lie within the row."""
    if not 0 <= i <= row.size - lanes(row):     # in Python only: compiled code has no bounds check
        raise IndexError(f"a vector of {lanes(row)} numbers at {i} of {row.size}")
    return row[i:i + lanes(row)].copy()


def store(row, i, vector):
    """row[i], row[i + 1], ... = vector"""
    row[i:i + lanes(row)] = vector


def blank(row):
    """A vector of zeros of the row's dtype."""
    return np.zeros(lanes(row), row.dtype)


def broadcast(row, i):
    """A vector of copies of row[i]."""
    return np.full(lanes(row), row[i])


def larger(a, b):
    """The elementwise maximum: a where a > b, else b. So it is b where either is NaN."""
    return np.where(a > b, a, b)


def across(vector):
    """The horizontal sum: all numbers of a vector added up."""
    return vector.sum()


def transpose_square(target, i, target_step, source, j, source_step):
    """target[i + c * target_step + r] = source[j + r * source_step + c] for all r, c < n.

    n is lanes(source), and the two must not overlap. Compiled, all n rows are in registers, and
    log2 n perfect shuffles transpose them. Each interleaves the first half of the rows with the
    second half, like a deck of cards. Why that transposes: the number in row r and column c is at
    place r * n + c, in binary the digits of r and then those of c. A shuffle moves the first digit
    to the end. After log2 n shuffles the digits of c come first, so rows have become columns.
    """
    n = lanes(source)
    for r in range(n):
        end = i + r + (n - 1) * target_step + 1
        target[i + r:end:target_step] = load(source, j + r * source_step)


class Vector(types.Type):
    """numba's type for a vector of numbers."""

    def __init__(self, element):
        self.element, self.count = element, VECTOR_BYTES * 8 // element.bitwidth
        super().__init__(f"Vector({element} x {self.count})")


@register_model(Vector)
class VectorModel(models.PrimitiveModel):
    """LLVM's type for it, <n x float> or <n x double>."""

    def __init__(self, manager, vector):
        element = manager.lookup(vector.element).get_value_type()
        super().__init__(manager, vector, ir.VectorType(element, vector.count))


@overload(lanes)
def compile_lanes(row):
    count = VECTOR_BYTES * 8 // row.dtype.bitwidth
    return lambda row: count


@type_callable(load)
def type_load(context):
    return lambda row, i: Vector(row.dtype) if isinstance(row, types.Array) else None


@type_callable(store)
def type_store(context):
    def type_of(row, i, vector):
        fits = isinstance(vector, Vector) and vector.element == row.dtype
        return types.void if fits else None
    return type_of


@type_callable(blank)
def type_blank(context):
    return lambda row: Vector(row.dtype) if isinstance(row, types.Array) else None


@type_callable(broadcast)
def type_broadcast(context):
    return lambda row, i: Vector(row.dtype) if isinstance(row, types.Array) else None


@type_callable(transpose_square)
def type_transpose_square(context):
    def type_of(target, i, target_step, source, j, source_step):
        fits = isinstance(source, types.Array) and source.dtype == target.dtype
        return types.void if fits else None
    return type_of


@type_callable(larger)
def type_larger(context):
    return lambda a, b: a if isinstance(a, Vector) and a == b else None


@type_callable(across)
def type_across(context):
    return lambda vector: vector.element if isinstance(vector, Vector) else None


def _address(context, builder, row_type, row, i, vector_type):
    data = context.make_array(row_type)(context, builder, row).data
    return builder.bitcast(builder.gep(data, [i]), context.get_value_type(vector_type).as_pointer())


@lower_builtin(load, types.Array, types.Integer)
def lower_load(context, builder, sig, args):
    row, i = args
    address = _address(context, builder, sig.args[0], row, i, sig.return_type)
    return builder.load(address, align=sig.args[0].dtype.bitwidth // 8)


@lower_builtin(broadcast, types.Array, types.Integer)
def lower_broadcast(context, builder, sig, args):
    row, i = args
    number = builder.gep(context.make_array(sig.args[0])(context, builder, row).data, [i])
    return _copies(builder, builder.load(number), context.get_value_type(sig.return_type))


@lower_builtin(store, types.Array, types.Integer, Vector)
def lower_store(context, builder, sig, args):
    row, i, vector = args
    address = _address(context, builder, sig.args[0], row, i, sig.args[2])
    builder.store(vector, address, align=sig.args[0].dtype.bitwidth // 8)
    return context.get_dummy_value()


@lower_builtin(transpose_square, types.Array, types.Integer, types.Integer,
               types.Array, types.Integer, types.Integer)
def lower_transpose_square(context, builder, sig, args):
    target, i, target_step, source, j, source_step = args
    vector, align = Vector(sig.args[0].dtype), sig.args[0].dtype.bitwidth // 8
    n = vector.count
    rows = []
    for _ in range(n):
        address = _address(context, builder, sig.args[3], source, j, vector)
        rows.append(builder.load(address, align=align))
        j = builder.add(j, source_step)
    # Two rows interleaved are 2 n numbers: one mask picks the first n, the other the last n.
    mask_type = ir.VectorType(ir.IntType(32), n)
    masks = [ir.Constant(mask_type, [start + c // 2 + c % 2 * n for c in range(n)])
             for start in (0, n // 2)]
    for _ in range(n.bit_length() - 1):     # log2 n, as n is a power of 2
        rows = [builder.shuffle_vector(rows[r], rows[r + n // 2], mask)
                for r in range(n // 2) for mask in masks]
    for row in rows:
        builder.store(row, _address(context, builder, sig.args[0], target, i, vector), align=align)
        i = builder.add(i, target_step)
    return context.get_dummy_value()


@lower_builtin(blank, types.Array)
def lower_blank(context, builder, sig, args):
    return ir.Constant(context.get_value_type(sig.return_type), None)


@lower_builtin(larger, Vector, Vector)
def lower_larger(context, builder, sig, args):
    return builder.select(builder.fcmp_ordered(">", *args), *args)


def _copies(builder, number, vector_type):
    """The vector that holds a number in every lane."""
    lane_0 = ir.Constant(ir.VectorType(ir.IntType(32), vector_type.count), None)  # all zeros
    empty = ir.Constant(vector_type, ir.Undefined)
    one = builder.insert_element(empty, number, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(one, empty, lane_0)


def _of_floats(kind):
    return isinstance(kind, Vector) and isinstance(kind.element, types.Float)


@infer_global(operator.add)
class TypeAdd(AbstractTemplate):
    """vector + vector"""

    def generic(self, args, kwargs):
        if _of_floats(args[0]) and args[0] == args[1]:
            return signature(args[0], *args)


@infer_global(operator.mul)
class TypeScale(AbstractTemplate):
    """number * vector, vector * vector"""

    def generic(self, args, kwargs):
        if _of_floats(args[0]) and args[0] == args[1]:
            return signature(args[0], *args)
        if _of_floats(args[1]) and args[0] == args[1].element:
            return signature(args[1], *args)


@lower_builtin(operator.add, Vector, Vector)
def lower_add(context, builder, sig, args):
    return builder.fadd(*args, flags=("contract",))


@lower_builtin(operator.mul, types.Float, Vector)
def lower_scale(context, builder, sig, args):
    number, vector = args
    return builder.fmul(_copies(builder, number, vector.type), vector, flags=("contract",))


@lower_builtin(operator.mul, Vector, Vector)
def lower_mul(context, builder, sig, args):
    return builder.fmul(*args, flags=("contract",))


@lower_builtin(across, Vector)
def lower_across(context, builder, sig, args):
    """Fold the vector in half, log2 n times. LLVM's own reduction leaves the order to LLVM."""
    vector, count = args[0], sig.args[0].count
    while count > 1:
        count //= 2
        mask = ir.VectorType(ir.IntType(32), count)
        empty = ir.Constant(vector.type, ir.Undefined)
        low, high = (builder.shuffle_vector(vector, empty, ir.Constant(mask, list(half)))
                     for half in (range(count), range(count, 2 * count)))
        vector = builder.fadd(low, high)
    return builder.extract_element(vector, ir.Constant(ir.IntType(32), 0))
