"""Next-token loss, computed from the logits without storing the probabilities.

The log of the sum of exponentials (lse) is float64: at logits of 10,000, float32 rounds it by up to
0.0005, and so the loss and every probability.
"""

import math

import numba
import numpy as np

from minillm.kernels.exp import exp
from minillm.kernels.tile import highest
from minillm.kernels.twin import inline, ordered, twin


def cross_entropy_forward_plain(logits, targets):
    """Negative log-likelihood of each target.

        nll_n = lse_n - logits[n, targets_n],   lse_n = log sum_V exp(logits_n)

    Shapes:  logits (N, V), targets (N,) int32 < V -> nll (N,) nats, lse (N,) float64, nats
    """
    top = logits.max(axis=-1)   # subtracted first, so that exp cannot overflow
    lse = top.astype(float) + np.log(np.exp(logits - top[:, None]).sum(axis=-1))
    return (lse - logits[np.arange(len(targets)), targets]).astype(logits.dtype), lse


@inline
def _log_sum_exp(row):
    """log sum exp of a row, in two passes: the row stays in the cache between them."""
    top, total = highest(row), row.dtype.type(0)
    for i in range(row.size):
        total += exp(row[i] - top)
    return np.float64(top) + math.log(total)


@twin(plain=cross_entropy_forward_plain, parallel=True)
def cross_entropy_forward(logits, targets):
    N = logits.shape[0]
    nll, lse = np.empty(N, dtype=logits.dtype), np.empty(N)
    for n in numba.prange(N):
        lse[n] = _log_sum_exp(logits[n])
        nll[n] = lse[n] - logits[n, targets[n]]
    return nll, lse


def cross_entropy_backward_plain(logits, targets, lse, dnll):
    """dlogits = dnll * (softmax(logits) - onehot(targets))

    In place: logits is overwritten with dlogits and returned. A row that does not count (dnll = 0)
    becomes exact zeros, whatever its logits.
    Shapes:  logits (N, V), targets (N,), lse (N,), dnll (N,) -> dlogits (N, V)
    """
    np.exp(logits - lse[:, None], out=logits)
    logits[np.arange(len(targets)), targets] -= 1
    logits[dnll == 0] = 0
    logits *= dnll[:, None]
    return logits


@ordered
def _row_gradient(row, target, lse, dnll):
    """One row of cross_entropy_backward, in place; lse is split into two numbers of row's dtype."""
    high = row.dtype.type(lse)
    low = row.dtype.type(lse - high)
    for i in range(row.size):
        row[i] = exp(row[i] - high - low) * dnll if dnll != 0 else row.dtype.type(0)
    row[target] -= dnll


@twin(plain=cross_entropy_backward_plain, parallel=True)
def cross_entropy_backward(logits, targets, lse, dnll):
    for n in numba.prange(logits.shape[0]):
        _row_gradient(logits[n], targets[n], lse[n], dnll[n])
    return logits
