"""Small work is done by one thread, large work by all: a row has the same bits either way."""

import numpy as np
import pytest

from minillm.kernels import activation, norm
from minillm.kernels.matmul import matmul_nt


def one_by_one_and_together(kernel, rows, *rest):
    """What the kernel makes of the first row alone, and of it among all rows."""
    def first(results):
        return results[0] if isinstance(results, tuple) else results
    alone = first(kernel(*(x[:1].copy() for x in rows), *rest))
    return alone, first(kernel(*rows, *rest))[:1]


@pytest.mark.parametrize("C", [8, 200])
def test_a_row_alone_has_the_bits_that_it_has_among_many(C):
    x, y = np.random.default_rng(0).standard_normal((2, 5000, C)).astype(np.float32)
    gain = np.linspace(0.5, 2, C, dtype=np.float32)
    for kernel, rows, rest in ((norm.rmsnorm_forward, (x,), (gain, 1e-5)),
                               (norm.layernorm_forward, (x,), (gain, gain, 1e-5)),
                               (activation.gelu_forward, (x,), ()), (activation.swiglu_forward, (x, y), ())):
        alone, together = one_by_one_and_together(kernel, rows, *rest)
        assert alone.tobytes() == together.tobytes()


def test_a_product_of_one_row_on_one_thread_and_on_all():
    """32,768 multiply-adds are the border: 128 columns of 200 lie below it, 400 columns above."""
    rng = np.random.default_rng(1)
    row, weight = rng.standard_normal((1, 200), np.float32), rng.standard_normal((400, 200), np.float32)
    small, large = matmul_nt(row, weight[:128]), matmul_nt(row, weight)
    assert small.tobytes() == large[:, :128].tobytes()
    np.testing.assert_allclose(large, row @ weight.T, atol=1e-4)
