"""Compiled loops read past an array's end in silence; run as Python, the same loops raise an error."""

import os
import subprocess
import sys

PROGRAM = """
import numpy as np
from minillm.kernels.attention import attention_backward, attention_decode, attention_forward
from minillm.kernels.matmul import matmul_nn, matmul_nt, matmul_tn

rng = np.random.default_rng(0)
for B, T, H, G, D in [(1, 3, 2, 1, 5), (1, 37, 1, 1, 3), (1, 5, 2, 1, 19)]:       # less than a panel of queries, and more than one
    q, k, v, dout = (rng.standard_normal((B, T, heads, D)) for heads in (H, G, G, H))
    first = np.zeros((B, T), np.int32)
    first[:, :2], first[:, T // 2:] = 1, T // 2
    out, lse = attention_forward(q, k, v, first)
    attention_backward(dout, q, k, v, out, lse, first)
    attention_decode(q[:, -1], k[:, -1], v[:, -1], k.swapaxes(1, 2), v.swapaxes(1, 2), first[:, -1].copy(), T - 1)
for N, K, M, dtype in [(49, 3, 50, float), (1, 2, 3, float), (49, 19, 50, np.float32), (30, 37, 35, np.float32), (3, 19, 7, float)]:
    a, b, c = (rng.standard_normal(shape).astype(dtype) for shape in ((N, K), (K, M), (N, M)))
    matmul_nn(a, b), matmul_nt(a, np.ascontiguousarray(b.T)), matmul_tn(a, c)
"""


def test_loops_stay_inside_their_arrays():
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    environment.pop("MINILLM_KERNELS", None)
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, env=environment)
