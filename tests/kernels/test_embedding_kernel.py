"""The scatter-add of an embedding: repeated ids add up, unused rows stay zero."""

import numpy as np
import pytest
from gradcheck import gradcheck
from twins import assert_twins_agree

from minillm.kernels.embedding import embedding_backward


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("N, C, V", [(1, 1, 1), (0, 3, 4), (50, 7, 5), (9, 33, 100)])
def test_twins_agree(N, C, V, dtype):
    rng = np.random.default_rng(0)
    assert_twins_agree(embedding_backward, rng.standard_normal((N, C)).astype(dtype),
                       rng.integers(0, V, N).astype(np.int32), rng.standard_normal((V, C)).astype(dtype))


def test_gradient_of_a_lookup():
    ids = np.array([2, 0, 2, 2, 4], dtype=np.int32)
    weight = np.random.default_rng(0).standard_normal((6, 3))
    gradcheck(lambda weight: (weight[ids], None),
              lambda dy, _: embedding_backward(dy, ids, np.zeros((6, 3))), [weight],
              label="embedding kernel")


def test_unused_rows_are_zero():
    dweight = embedding_backward(np.ones((3, 2), dtype=np.float32), np.array([1, 1, 3], dtype=np.int32),
                                 np.zeros((5, 2), np.float32))
    assert dweight.tolist() == [[0, 0], [2, 2], [0, 0], [1, 1], [0, 0]]
