"""RMSNorm and LayerNorm. A row is a token."""

import math

import numba
import numpy as np

from minillm.kernels.twin import inline, ordered, twin

# The gradient of a gain sums over all rows. Each task sums its own rows; then the tasks' sums are
# added in order. So the result does not depend on the number of threads.
ROWS = 128      # rows of a task


def rmsnorm_forward_plain(x, gain, eps):
    """Scale each row to unit RMS, then by a learned gain.

        y = gain * x * inv_rms,   inv_rms = 1 / sqrt(mean_C(x^2) + eps)

    Shapes:  x (N, C), gain (C,), eps float -> y (N, C), inv_rms (N,)
    Source:  Zhang & Sennrich 2019, arXiv:1910.07467, eq. 4.
    """
    inv_rms = 1 / np.sqrt(np.mean(x * x, axis=-1) + x.dtype.type(eps))
    return gain * (x * inv_rms[:, None]), inv_rms


@inline
def rms_row(y, x, gain, eps):
    """One row of rmsnorm_forward; returns its inv_rms."""
    squares = x.dtype.type(0)
    for c in range(x.size):
        squares += x[c] * x[c]
    inv_rms = x.dtype.type(1 / math.sqrt(squares / x.size + eps))
    for c in range(x.size):
        y[c] = gain[c] * (x[c] * inv_rms)
    return inv_rms


@twin(plain=rmsnorm_forward_plain, parallel=True)
def rmsnorm_forward(x, gain, eps):
    y, inv_rms = np.empty_like(x), np.empty(x.shape[0], dtype=x.dtype)
    for n in numba.prange(x.shape[0]):
        inv_rms[n] = rms_row(y[n], x[n], gain, eps)
    return y, inv_rms


def rmsnorm_backward_plain(dy, x, gain, inv_rms, residual):
    """dx = residual + (g - x_hat * mean_C(g * x_hat)) * inv_rms

        g = dy * gain,   x_hat = x * inv_rms

    Rescaling x leaves y unchanged, so dx has no component along x_hat.
    Shapes:  dy, x and residual (N, C), gain (C,), inv_rms (N,) -> dx (N, C), dgain (C,)
    """
    x_hat = x * inv_rms[:, None]
    g = dy * gain
    dx = residual + (g - x_hat * np.mean(g * x_hat, axis=-1, keepdims=True)) * inv_rms[:, None]
    return dx, np.sum(dy * x_hat, axis=0)


@inline
def _rms_row_backward(dx, dgain, dy, x, gain, inv_rms, residual):
    """One row of rmsnorm_backward. It adds to dgain."""
    along = x.dtype.type(0)     # mean of g * x_hat
    for c in range(x.size):
        along += dy[c] * gain[c] * x[c]
    along *= inv_rms / x.dtype.type(x.size)
    for c in range(x.size):
        x_hat = x[c] * inv_rms
        dx[c] = residual[c] + (dy[c] * gain[c] - x_hat * along) * inv_rms
        dgain[c] += dy[c] * x_hat


@twin(plain=rmsnorm_backward_plain, parallel=True)
def rmsnorm_backward(dy, x, gain, inv_rms, residual):
    tasks = (x.shape[0] + ROWS - 1) // ROWS
    dx, gains = np.empty_like(x), np.zeros((tasks, gain.size), x.dtype)
    for part in numba.prange(tasks):
        for n in range(part * ROWS, min((part + 1) * ROWS, x.shape[0])):
            _rms_row_backward(dx[n], gains[part], dy[n], x[n], gain, inv_rms[n], residual[n])
    return dx, _sum_of_rows(gains)


def layernorm_forward_plain(x, gain, bias, eps):
    """Centre each row and scale it to unit variance, then apply a learned gain and bias.

        y = gain * (x - mean) * inv_std + bias,   inv_std = 1 / sqrt(mean_C((x - mean)^2) + eps)

    Shapes:  x (N, C), gain and bias (C,), eps float -> y (N, C), mean (N,), inv_std (N,)
    Source:  Ba, Kiros & Hinton 2016, arXiv:1607.06450, eq. 4.
    """
    mean = np.mean(x, axis=-1)
    centred = x - mean[:, None]     # E[x^2] - E[x]^2 would lose digits by cancellation
    inv_std = 1 / np.sqrt(np.mean(centred * centred, axis=-1) + x.dtype.type(eps))
    return gain * (centred * inv_std[:, None]) + bias, mean, inv_std


@inline
def layer_row(y, x, gain, bias, eps):
    """One row of layernorm_forward; returns its mean and inv_std."""
    total, squares = x.dtype.type(0), x.dtype.type(0)
    for c in range(x.size):
        total += x[c] - x[0]    # less x[0]: beside a large mean, the sum of x would lose digits
    mean = x.dtype.type(x[0] + total / x.size)
    for c in range(x.size):
        squares += (x[c] - mean) * (x[c] - mean)
    inv_std = x.dtype.type(1 / math.sqrt(squares / x.size + eps))
    for c in range(x.size):
        y[c] = gain[c] * ((x[c] - mean) * inv_std) + bias[c]
    return mean, inv_std


@twin(plain=layernorm_forward_plain, parallel=True)
def layernorm_forward(x, gain, bias, eps):
    N = x.shape[0]
    y, mean, inv_std = np.empty_like(x), np.empty(N, dtype=x.dtype), np.empty(N, dtype=x.dtype)
    for n in numba.prange(N):
        mean[n], inv_std[n] = layer_row(y[n], x[n], gain, bias, eps)
    return y, mean, inv_std


def layernorm_backward_plain(dy, x, gain, mean, inv_std, residual):
    """dx = residual + (g - mean_C(g) - x_hat * mean_C(g * x_hat)) * inv_std,   g = dy * gain

    Shifting or rescaling x leaves y unchanged, so dx has no component along 1 or along x_hat.
    Shapes:  dy, x and residual (N, C), gain (C,), mean and inv_std (N,)
             -> dx (N, C), dgain (C,), dbias (C,)
    """
    x_hat = (x - mean[:, None]) * inv_std[:, None]
    g = dy * gain
    g_mean = np.mean(g, axis=-1, keepdims=True)
    along = np.mean(g * x_hat, axis=-1, keepdims=True)
    dx = residual + (g - g_mean - x_hat * along) * inv_std[:, None]
    return dx, np.sum(dy * x_hat, axis=0), np.sum(dy, axis=0)


@inline
def _layer_row_backward(dx, dgain, dbias, dy, x, gain, mean, inv_std, residual):
    """One row of layernorm_backward. It adds to dgain and dbias."""
    level, along = x.dtype.type(0), x.dtype.type(0)     # means of g and of g * x_hat
    for c in range(x.size):
        g = dy[c] * gain[c]
        level += g
        along += g * (x[c] - mean)
    level /= x.dtype.type(x.size)
    along *= inv_std / x.dtype.type(x.size)
    for c in range(x.size):
        x_hat = (x[c] - mean) * inv_std
        dx[c] = residual[c] + (dy[c] * gain[c] - level - x_hat * along) * inv_std
        dgain[c] += dy[c] * x_hat
        dbias[c] += dy[c]


@twin(plain=layernorm_backward_plain, parallel=True)
def layernorm_backward(dy, x, gain, mean, inv_std, residual):
    tasks = (x.shape[0] + ROWS - 1) // ROWS
    gains, biases = np.zeros((tasks, gain.size), x.dtype), np.zeros((tasks, gain.size), x.dtype)
    dx = np.empty_like(x)
    for part in numba.prange(tasks):
        for n in range(part * ROWS, min((part + 1) * ROWS, x.shape[0])):
            _layer_row_backward(dx[n], gains[part], biases[part], dy[n], x[n], gain, mean[n],
                                inv_std[n], residual[n])
    return dx, _sum_of_rows(gains), _sum_of_rows(biases)


@ordered
def _sum_of_rows(parts):
    """Sum over the rows, in order."""
    total = np.zeros(parts.shape[1], parts.dtype)
    for n in range(parts.shape[0]):
        row = parts[n]
        for c in range(total.size):
            total[c] += row[c]
    return total
