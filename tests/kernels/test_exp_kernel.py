"""The polynomial exponential: accuracy over its whole range, and what lies beyond."""

import numpy as np

from minillm.kernels.exp import exp_polynomial

SAMPLES = np.linspace(-87, 88, 5001).astype(np.float32)


def test_relative_error():
    got = np.array([exp_polynomial(x) for x in SAMPLES], dtype=np.float64)
    exact = np.exp(SAMPLES.astype(np.float64))
    assert np.abs(got / exact - 1).max() < 3e-7


def test_beyond_the_range():
    for x, expected in ((-np.inf, 0), (-1000, 0), (1000, np.inf), (np.inf, np.inf), (0, 1), (-0.0, 1)):
        assert exp_polynomial(np.float32(x)) == expected
    assert np.isnan(exp_polynomial(np.float32(np.nan)))
