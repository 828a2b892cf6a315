"""Compiled loops have no bounds check; run as Python, the same loops raise an error."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import numpy as np
from minillm.kernels.attention import attention_backward, attention_forward
from minillm.kernels.decode import block_decode
from minillm.kernels.int8 import Int8, int8_nt, quantize
from minillm.kernels.matmul import matmul_nn, matmul_nt, matmul_tn

rng = np.random.default_rng(0)
# less than a panel of queries, and more than one
for B, T, H, G, D in [(1, 3, 2, 1, 5), (1, 37, 1, 1, 3), (1, 5, 2, 1, 19)]:
    q, k, v, dout = (rng.standard_normal((B, T, heads, D)) for heads in (H, G, G, H))
    visible_from = np.zeros((B, T), np.int32)
    visible_from[:, :2], visible_from[:, T // 2:] = 1, T // 2
    out, lse = attention_forward(q, k, v, visible_from)
    attention_backward(dout, q, k, v, out, lse, visible_from)
none = np.empty(0, np.float32)
for B, C, F in [(3, 38, 5), (13, 2, 37)]:
    weights = [rng.standard_normal(shape).astype(np.float32) for shape in [(C, C)] * 4 + [(F, C), (C, F), (F, C)]]
    x, cache = rng.standard_normal((B, C)).astype(np.float32), np.ones((2, B, 2, 3, C // 2), np.float32)
    weights[1], weights[2] = weights[1].copy(), weights[2].copy()
    biases, (q, scales) = (x[0], *(none,) * 6), zip(*map(quantize, weights))
    for kind in ((tuple(weights), biases), (q, tuple(zip(biases, scales)))):
        block_decode(x, (x[0], x[0]), (none, x[0]), *kind, *np.ones((2, 3, C // 2 // 2), np.float32),
                     np.arange(B, dtype=np.int32) % 3, np.arange(B, dtype=np.int32) % 3, 2, *cache, 1e-5, 2)
    int8_nt(x, Int8(q[0], scales[0]))
for M, K, N, dtype in [(49, 3, 50, float), (1, 2, 3, float), (49, 19, 50, np.float32),
                       (30, 37, 35, np.float32), (3, 19, 7, float)]:
    a, b, c = (rng.standard_normal(shape).astype(dtype) for shape in ((M, K), (K, N), (M, N)))
    matmul_nn(a, b)
    matmul_nt(a, np.ascontiguousarray(b.T))
    matmul_tn(a, c)
"""


@pytest.mark.parametrize("rung", ["compiled", "loops"])
def test_loops_stay_inside_their_arrays(rung):
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "MINILLM_KERNELS": rung,
                   "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, env=environment)
