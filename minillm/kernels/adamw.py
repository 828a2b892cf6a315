"""One AdamW step over a flat parameter, and the sum of squares for gradient clipping."""

import math

import numba
import numpy as np

from minillm.kernels.twin import inline, twin

CHUNK = 16384   # elements that a thread takes at a time


def adamw_step_plain(param, grad, m, v, lr, beta1, beta2, eps, decay, step, scale):
    """Update param, m and v in place.

        g = scale * grad,   m = beta1 m + (1 - beta1) g,   v = beta2 v + (1 - beta2) g^2
        param -= lr * (m_hat / (sqrt(v_hat) + eps) + decay * param)
        m_hat = m / (1 - beta1^step),   v_hat = v / (1 - beta2^step)

    `scale` is the clipping factor. Weight decay is decoupled: it never enters the moments.
    Shapes:  param, grad, m and v (N,); the others are numbers, step counts from 1
    Source:  Loshchilov & Hutter 2017, arXiv:1711.05101, algorithm 2;
             moments: Kingma & Ba 2015, arXiv:1412.6980, algorithm 1.
    """
    lr, scale = float(lr), float(scale)     # a NumPy float64 would promote float32 arrays
    g = scale * grad
    m[:] = beta1 * m + (1 - beta1) * g
    v[:] = beta2 * v + (1 - beta2) * g * g
    m_hat = m / (1 - beta1**step)
    v_hat = v / (1 - beta2**step)
    param -= lr * (m_hat / (np.sqrt(v_hat) + eps) + decay * param)


@inline
def _update(param, grad, m, v, numbers):
    """One chunk of adamw_step. The numbers have param's dtype, so the loop stays in float32."""
    lr, beta1, beta2, eps, decay, m_scale, v_scale, scale = numbers
    one = param.dtype.type(1)
    for i in range(param.size):
        g = scale * grad[i]
        m[i] = beta1 * m[i] + (one - beta1) * g
        v[i] = beta2 * v[i] + (one - beta2) * g * g
        param[i] -= lr * (m[i] * m_scale / (math.sqrt(v[i] * v_scale) + eps) + decay * param[i])


@twin(plain=adamw_step_plain, parallel=True)
def adamw_step(param, grad, m, v, lr, beta1, beta2, eps, decay, step, scale):
    real = param.dtype.type
    m_scale, v_scale = real(1 / (1 - beta1**step)), real(1 / (1 - beta2**step))
    numbers = (real(lr), real(beta1), real(beta2), real(eps), real(decay), m_scale, v_scale,
               real(scale))
    for n in numba.prange((param.size + CHUNK - 1) // CHUNK):
        part = slice(n * CHUNK, min((n + 1) * CHUNK, param.size))
        _update(param[part], grad[part], m[part], v[part], numbers)


def sum_of_squares_plain(x):
    """Sum of x^2, accumulated in float64.  Shapes:  x (N,) -> float"""
    return float(np.sum(np.square(x, dtype=np.float64)))


@inline
def _sum_of_squares(x):
    total = 0.0
    for i in range(x.size):
        value = np.float64(x[i])
        total += value * value
    return total


@twin(plain=sum_of_squares_plain, parallel=True)
def sum_of_squares(x):
    if x.size <= CHUNK:
        return _sum_of_squares(x)
    # The chunks do not depend on the number of threads, and their sums are added by one thread.
    parts = np.empty((x.size + CHUNK - 1) // CHUNK)
    for n in numba.prange(parts.size):
        parts[n] = _sum_of_squares(x[n * CHUNK:(n + 1) * CHUNK])
    total = 0.0     # parts.sum() would be a function of its own: see twin.inline
    for n in range(parts.size):
        total += parts[n]
    return total
