"""Vectors as values: what a processor keeps in one register and works on at once.

numba turns a simple loop into vector instructions by itself, yet it cannot keep a tile of sums in registers over
a loop. With vectors as values it can: `sums = sums + a * b` is one multiply-add for all lanes. Under
NUMBA_DISABLE_JIT=1 a vector is a small NumPy array and the functions below run as they stand.
"""

import operator

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import lower_builtin, models, overload, register_model, type_callable

# One register: AVX-512 has 32 of 64 bytes; elsewhere half of that leaves enough registers for a tile.
VECTOR_BYTES = 64 if llvmlite.binding.get_host_cpu_features().get("avx512f") else 32


def lanes(row):
    """How many numbers of a row's dtype one vector holds."""
    return VECTOR_BYTES // row.itemsize


def load(row, i):
    """The vector row[i], row[i + 1], ... of a contiguous 1-D array; the caller keeps it within the row."""
    if not 0 <= i <= row.size - lanes(row):     # compiled, nothing notices
        raise IndexError(f"a vector of {lanes(row)} numbers at {i} of {row.size}")
    return row[i:i + lanes(row)].copy()


def store(row, i, vector):
    """row[i], row[i + 1], ... = vector"""
    row[i:i + lanes(row)] = vector


def blank(row):
    """The vector of zeros of a row's dtype."""
    return np.zeros(lanes(row), row.dtype)


def larger(a, b):
    """The larger of two vectors, number by number: a where a > b, else b; so b where either is NaN."""
    return np.where(a > b, a, b)


def across(vector):
    """The sum of a vector's numbers."""
    return vector.sum()


def transpose_square(target, i, target_step, source, j, source_step):
    """target[i + c target_step + r] = source[j + r source_step + c], for as many rows r and columns c as lanes(source).

    The two must not overlap. Compiled, all n rows are in registers and are shuffled like a deck of cards: number 0 of
    the first half of the rows, number 0 of the second half, number 1 of the first, and so on. The number at row r and
    column c stands at place r n + c, in binary the digits of r, then those of c. A shuffle moves the first digit to
    the end, so after log2 n of them c's digits come first: rows have become columns.
    """
    n = lanes(source)
    for r in range(n):
        target[i + r:i + r + (n - 1) * target_step + 1:target_step] = load(source, j + r * source_step)


class Vector(types.Type):
    """numba's name for a vector of floats."""

    def __init__(self, element):
        self.element, self.count = element, VECTOR_BYTES * 8 // element.bitwidth
        super().__init__(f"Vector({element} x {self.count})")


@register_model(Vector)
class VectorModel(models.PrimitiveModel):
    """LLVM's name for the same."""

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
    return lambda row, i, vector: types.void if isinstance(vector, Vector) and vector.element == row.dtype else None


@type_callable(blank)
def type_blank(context):
    return lambda row: Vector(row.dtype) if isinstance(row, types.Array) else None


@type_callable(transpose_square)
def type_transpose_square(context):
    def type_of(target, i, target_step, source, j, source_step):
        return types.void if isinstance(source, types.Array) and source.dtype == target.dtype else None
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


@lower_builtin(store, types.Array, types.Integer, Vector)
def lower_store(context, builder, sig, args):
    row, i, vector = args
    address = _address(context, builder, sig.args[0], row, i, sig.args[2])
    builder.store(vector, address, align=sig.args[0].dtype.bitwidth // 8)
    return context.get_dummy_value()


@lower_builtin(transpose_square, types.Array, types.Integer, types.Integer, types.Array, types.Integer, types.Integer)
def lower_transpose_square(context, builder, sig, args):
    target, i, target_step, source, j, source_step = args
    vector, align = Vector(sig.args[0].dtype), sig.args[0].dtype.bitwidth // 8
    n = vector.count
    rows = []
    for _ in range(n):
        rows.append(builder.load(_address(context, builder, sig.args[3], source, j, vector), align=align))
        j = builder.add(j, source_step)
    orders = [ir.Constant(ir.VectorType(ir.IntType(32), n), [start + c // 2 + c % 2 * n for c in range(n)])
              for start in (0, n // 2)]     # of two rows' numbers, interleaved: the first n of them, the last n
    for _ in range(n.bit_length() - 1):     # n is a power of 2
        rows = [builder.shuffle_vector(rows[r], rows[r + n // 2], order) for r in range(n // 2) for order in orders]
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


@infer_global(operator.add)
class TypeAdd(AbstractTemplate):
    """vector + vector"""

    def generic(self, args, kwargs):
        if isinstance(args[0], Vector) and args[0] == args[1]:
            return signature(args[0], *args)


@infer_global(operator.mul)
class TypeScale(AbstractTemplate):
    """number * vector, vector * vector"""

    def generic(self, args, kwargs):
        if isinstance(args[0], Vector) and args[0] == args[1]:
            return signature(args[0], *args)
        if isinstance(args[1], Vector) and args[0] == args[1].element:
            return signature(args[1], *args)


@lower_builtin(operator.add, Vector, Vector)
def lower_add(context, builder, sig, args):
    return builder.fadd(*args, flags=("contract",))


@lower_builtin(operator.mul, types.Float, Vector)
def lower_scale(context, builder, sig, args):
    number, vector = args
    first = ir.Constant(ir.IntType(32), 0)
    everywhere = ir.Constant(ir.VectorType(ir.IntType(32), vector.type.count), None)  # None: zeros, so lane 0
    empty = ir.Constant(vector.type, ir.Undefined)
    copies = builder.shuffle_vector(builder.insert_element(empty, number, first), empty, everywhere)
    return builder.fmul(copies, vector, flags=("contract",))


@lower_builtin(operator.mul, Vector, Vector)
def lower_mul(context, builder, sig, args):
    return builder.fmul(*args, flags=("contract",))


@lower_builtin(across, Vector)
def lower_across(context, builder, sig, args):
    element, kind = context.get_value_type(sig.return_type), args[0].type
    name = f"llvm.vector.reduce.fadd.v{kind.count}f{sig.return_type.bitwidth}"
    function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(element, (element, kind)), name)
    return builder.call(function, (ir.Constant(element, 0.0), args[0]), fastmath=("reassoc", "nsz"))
