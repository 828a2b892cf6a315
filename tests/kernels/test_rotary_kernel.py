"""The rotation against complex multiplication, its twin and its gradient."""

import numpy as np
import pytest
from gradcheck import gradcheck
from twins import assert_twins_agree

from minillm.kernels.rotary import rotate


def case(B=3, T=7, H=2, D=10, P=20, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    angles = rng.standard_normal((P, D // 2))
    positions = rng.integers(0, P, (B, T)).astype(np.int32)
    return rng.standard_normal((B, T, H, D)).astype(dtype), np.cos(angles).astype(dtype), \
        np.sin(angles).astype(dtype), positions


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [(1, 1, 1, 2), (3, 7, 2, 10), (2, 5, 3, 64), (0, 4, 1, 2)])
def test_twins_agree(size, dtype):
    assert_twins_agree(rotate, *case(*size, dtype=dtype))


def test_equals_complex_multiplication():
    x, cos, sin, positions = case()
    turned = (x[..., :5] + 1j * x[..., 5:]) * (cos + 1j * sin)[positions][:, :, None]
    np.testing.assert_allclose(rotate(x, cos, sin, positions),
                               np.concatenate([turned.real, turned.imag], axis=-1), atol=1e-12)


def test_gradient_is_the_rotation_back():
    x, cos, sin, positions = case()
    gradcheck(lambda x: (rotate(x, cos, sin, positions), None),
              lambda dy, _: rotate(dy, cos, -sin, positions), [x], label="rotary kernel")
    np.testing.assert_allclose(rotate(rotate(x, cos, sin, positions), cos, -sin, positions), x, atol=1e-12)
