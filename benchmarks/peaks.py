"""What the processor can do at the most: multiply-adds that stay in registers, and a copy through memory.

A product cannot be quicker than its multiply-adds alone, without loading a single factor. So here is a loop of
nothing but them, each adding to a sum of its own: one waits some cycles for the sum before it, and as many sums as
a register file holds keep all units busy meanwhile.
"""

import time

import numba
import numpy as np
from host import thread_count
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing.templates import signature
from numba.extending import intrinsic

from minillm.kernels.lanes import VECTOR_BYTES, Vector
from minillm.kernels.steps import DOT_OF_PAIRS
from minillm.kernels.steps import multiply_add as add_pairs

SUMS = 24 if VECTOR_BYTES == 64 else 12     # of 32 registers, or of 16; latency x units is 8 to 12
LANES = VECTOR_BYTES // 4                   # float32 numbers of a vector
TURNS = 1 << 20                             # of the loop: some ms, beside which waking a thread takes nothing
PRECISIONS = ("float32", "bfloat16") if DOT_OF_PAIRS else ("float32",)      # those with an instruction
FLOPS = {"float32": 2 * LANES * SUMS, "bfloat16": 4 * LANES * SUMS}         # of one turn of the loop


def multiply_add(context, builder, total, x, y):
    """total x + y, one instruction.  The total is a factor: the compiler would take x y out of the loop."""
    return builder.fadd(builder.fmul(total, x, flags=("contract",)), y, flags=("contract",))


def multiply_add_pairs(context, builder, total, x, y):
    """total + x0 y0 + x1 y1, one instruction: the 32 bits of a lane of x and y are a pair of bfloat16."""
    sums, pairs = Vector(types.float32), Vector(types.uint32)
    add = context.get_function(add_pairs, signature(sums, sums, pairs, pairs))
    return add(builder, [total, *(builder.bitcast(factor, context.get_value_type(pairs)) for factor in (x, y))])


def spinning(step):
    """A function spin(vectors, turns) for compiled code: total = step(total, x, y), `turns` times for SUMS totals.

    The totals come first in `vectors`, and are left there; then x and y.
    Shapes:  vectors (SUMS + 2, LANES) float32
    """
    @intrinsic
    def spin(typing, vectors, turns):
        def generate(context, builder, signature, arguments):
            data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
            data = builder.bitcast(data, ir.VectorType(ir.FloatType(), LANES).as_pointer())
            places = [builder.gep(data, [ir.Constant(ir.IntType(64), i)]) for i in range(SUMS + 2)]
            *totals, x, y = (builder.load(place, align=4) for place in places)
            totals = [cgutils.alloca_once_value(builder, total) for total in totals]    # LLVM makes registers of them
            with cgutils.for_range(builder, arguments[1]):
                for total in totals:
                    builder.store(step(context, builder, builder.load(total), x, y), total)
            for total, place in zip(totals, places):
                builder.store(builder.load(total), place, align=4)
            return context.get_dummy_value()
        return types.void(vectors, turns), generate
    return spin


spin_float32, spin_bfloat16 = spinning(multiply_add), spinning(multiply_add_pairs)


@numba.njit(parallel=True, cache=True)
def float32_loops(vectors, turns):
    """The loop in float32 on as many threads as there are sets of vectors."""
    for thread in numba.prange(len(vectors)):
        spin_float32(vectors[thread], turns)


@numba.njit(parallel=True, cache=True)
def bfloat16_loops(vectors, turns):
    """The loop in bfloat16."""
    for thread in numba.prange(len(vectors)):
        spin_bfloat16(vectors[thread], turns)


LOOPS = {"float32": float32_loops, "bfloat16": bfloat16_loops}


def register_peak(precision, threads, tries=10):
    """Operations a second of the loop, the best of some tries: a limit is what can be reached."""
    vectors = np.full((threads, SUMS + 2, LANES), 0.5, np.float32)

    def seconds(turns):
        began = time.perf_counter()
        LOOPS[precision](vectors, turns)
        return time.perf_counter() - began
    numba.set_num_threads(threads)
    seconds(1)      # compiles
    shortest = min(seconds(TURNS) for _ in range(tries))
    numba.set_num_threads(thread_count())
    return threads * TURNS * FLOPS[precision] / shortest


def limits(quick=False):
    """{precision: operations a second of all cores}: what "of the limit" is a share of.

    Without an instruction for bfloat16, its products are made of float32's.
    """
    found = {name: register_peak(name, thread_count(), 2 if quick else 5) for name in PRECISIONS}
    return {"bfloat16": found["float32"], **found}


@numba.njit(parallel=True, cache=True)
def copy(into, source):
    """A copy on all threads."""
    for part in numba.prange((source.size + 16383) // 16384):
        into[part * 16384:(part + 1) * 16384] = source[part * 16384:(part + 1) * 16384]


def memory_speed(threads, megabytes):
    """Bytes a second, read and written together, of a copy that no cache holds: the best of five."""
    source = np.ones(megabytes * 2**18, np.float32)
    into, taken = np.empty_like(source), []
    numba.set_num_threads(threads)
    for _ in range(5):
        began = time.perf_counter()
        copy(into, source)
        taken.append(time.perf_counter() - began)
    numba.set_num_threads(thread_count())
    return 2 * source.nbytes / min(taken)
