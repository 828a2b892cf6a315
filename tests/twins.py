"""Holds the rungs of a kernel against each other, and a kernel against itself on more threads."""

import numba
import numpy as np
import pytest

# Relative to the largest value of a result, by the coarsest dtype among the arrays of the call
TOLERANCE = {np.dtype(np.float32): 1e-5, np.dtype(np.float64): 1e-12}


def results(kernel, args):
    """What a call returns, then the arrays that it was given, changed or not."""
    args = [a.copy() if isinstance(a, np.ndarray) else a for a in args]
    returned = kernel(*args)
    returned = returned if isinstance(returned, tuple) else (returned,)
    given = [a for a in args if isinstance(a, np.ndarray)]
    return [np.asarray(r) for r in returned if r is not None] + given


def assert_twins_agree(kernel, *args):
    """The kernel equals its plain twin; a middle rung (`loops`) equals both of its neighbours."""
    assert_equal_up_to_rounding("kernel, plain", results(kernel, args), results(kernel.plain, args))
    if kernel.loops is not None and not numba.config.DISABLE_JIT:   # as Python, it takes minutes
        middle = results(kernel.loops, args)
        assert_equal_up_to_rounding("loops, plain", middle, results(kernel.plain, args))
        assert_equal_up_to_rounding("kernel, loops", results(kernel, args), middle)


def assert_equal_up_to_rounding(names, results, references):
    """Same shapes, same dtypes, NaN in the same places, and values equal up to rounding."""
    coarsest = max(TOLERANCE.get(result.dtype, 0) for result in references)
    for i, (got, expected) in enumerate(zip(results, references, strict=True)):
        label = f"{names}: result {i}"
        assert got.shape == expected.shape, f"{label}: {got.shape}, {expected.shape}"
        assert got.dtype == expected.dtype, f"{label}: {got.dtype}, {expected.dtype}"
        finite = np.abs(expected[np.isfinite(expected)])
        tolerance = (coarsest if expected.dtype in TOLERANCE else 0) * max(1.0, finite.max(initial=0.0))
        np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance, err_msg=label)


def assert_threads_change_nothing(kernel, *args):
    """One thread and two give the same bits."""
    if numba.config.NUMBA_NUM_THREADS < 2:
        pytest.skip("this process may use one thread only")
    before, runs = numba.get_num_threads(), []
    try:
        for threads in (1, 2):
            numba.set_num_threads(threads)
            runs.append(results(kernel, args))
    finally:
        numba.set_num_threads(before)
    for one, two in zip(*runs, strict=True):
        assert one.tobytes() == two.tobytes()
