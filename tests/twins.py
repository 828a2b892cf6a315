"""Holds a compiled kernel against its plain twin, and against itself on more threads."""

import numba
import numpy as np
import pytest

TOLERANCE = {np.dtype(np.float32): 1e-5, np.dtype(np.float64): 1e-12}  # relative to the largest value


def results(kernel, args):
    """Everything that a call yields: what it returns, then the arrays that it was given, changed or not."""
    args = [a.copy() if isinstance(a, np.ndarray) else a for a in args]
    returned = kernel(*args)
    returned = returned if isinstance(returned, tuple) else (returned,)
    return [np.asarray(r) for r in returned if r is not None] + [a for a in args if isinstance(a, np.ndarray)]


def assert_twins_agree(kernel, *args):
    """Same shapes, same dtypes, NaN in the same places, and values equal up to rounding."""
    for i, (got, expected) in enumerate(zip(results(kernel, args), results(kernel.plain, args), strict=True)):
        assert got.shape == expected.shape, f"result {i}: {got.shape}, plain {expected.shape}"
        assert got.dtype == expected.dtype, f"result {i}: {got.dtype}, plain {expected.dtype}"
        finite = np.abs(expected[np.isfinite(expected)])
        tolerance = TOLERANCE.get(expected.dtype, 0) * max(1.0, finite.max(initial=0.0))
        np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance, err_msg=f"result {i}")


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
