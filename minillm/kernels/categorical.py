"""A policy's distribution over actions: log-probability of an action, entropy, and sampling."""

import math

import numba
import numpy as np

from minillm.kernels.exp import exp
from minillm.kernels.tile import highest
from minillm.kernels.twin import inline, ordered, twin

COLDEST = 1e-30     # temperature (no unit): lower ones count as this; float32 divides by it
FEW = 1 << 13       # logits: fewer, as in decoding one text, do not repay a second thread


def categorical_forward_plain(logits, actions):
    """Log-probability of each action and entropy of each row.

        logprob_n = logits[n, a_n] - lse_n,   entropy_n = -sum_V p log p

    Shapes:  logits (N, V), actions (N,) int32 < V
             -> logprob (N,), entropy (N,), lse (N,) float64, all nats
    """
    top = logits.max(axis=-1)
    lse = top.astype(float) + np.log(np.exp(logits - top[:, None]).sum(axis=-1))
    log_p = (logits - lse[:, None]).astype(logits.dtype)    # lse in float64: see cross_entropy.py
    return log_p[np.arange(len(actions)), actions], -p_log_p(log_p).sum(axis=-1), lse


@inline
def _row_statistics(row, action):
    """One row of categorical_forward: log-probability of the action, entropy, log-sum-exp."""
    zero = row.dtype.type(0)
    top, total, mean = highest(row), zero, zero
    for i in range(row.size):
        weight = exp(row[i] - top)
        total += weight
        mean += weight * (row[i] - top) if row[i] != -np.inf else zero
    log_total = math.log(total)
    lse = np.float64(top) + log_total
    return row[action] - lse, log_total - mean / total, lse


@twin(plain=categorical_forward_plain, parallel=True)
def categorical_forward(logits, actions):
    N = logits.shape[0]
    logprob, entropy = np.empty(N, logits.dtype), np.empty(N, logits.dtype)
    lse = np.empty(N)
    for n in numba.prange(N):
        logprob[n], entropy[n], lse[n] = _row_statistics(logits[n], actions[n])
    return logprob, entropy, lse


def categorical_backward_plain(logits, actions, lse, entropy, dlogprob, dentropy):
    """dlogits = dlogprob * (onehot - p) - dentropy * p * (log p + entropy)

    In place: logits is overwritten with dlogits and returned.
    Shapes:  logits (N, V), the others (N,) -> dlogits (N, V)
    """
    log_p = (logits - lse[:, None]).astype(logits.dtype)
    p = np.exp(log_p)
    logits[:] = -dlogprob[:, None] * p - dentropy[:, None] * (p_log_p(log_p) + p * entropy[:, None])
    logits[np.arange(len(actions)), actions] += dlogprob
    return logits


@ordered
def _row_gradient(row, action, lse, entropy, dlogprob, dentropy):
    """One row of categorical_backward, in place; lse is split into two numbers of row's dtype."""
    high = row.dtype.type(lse)
    low = row.dtype.type(lse - high)
    for i in range(row.size):
        log_p = row[i] - high - low
        p = exp(log_p)
        inner = log_p if row[i] != -np.inf else row.dtype.type(0)
        row[i] = -p * (dlogprob + dentropy * (inner + entropy))
    row[action] += dlogprob


@twin(plain=categorical_backward_plain, parallel=True)
def categorical_backward(logits, actions, lse, entropy, dlogprob, dentropy):
    for n in numba.prange(logits.shape[0]):
        _row_gradient(logits[n], actions[n], lse[n], entropy[n], dlogprob[n], dentropy[n])
    return logits


def categorical_draw_plain(logits, uniform, temperature):
    """Sample one action a row: the first whose cumulative probability exceeds u, uniform in [0, 1).

        a_n = min { a : sum_{i <= a} p_ni > u_n },   p_n = softmax(logits_n / temperature)

    -1 where a row has no distribution: it holds a NaN, or its logits are all -inf.
    Shapes:  logits (N, V), uniform (N,) -> actions (N,) int32
    """
    temperature = logits.dtype.type(max(temperature, COLDEST))
    with np.errstate(over="ignore", invalid="ignore"):
        weights = np.exp((logits - logits.max(axis=1, keepdims=True)) / temperature)
        cumulative = np.cumsum(weights, axis=1, dtype=np.float64)
        actions = np.argmax(cumulative > uniform[:, None] * cumulative[:, -1:], axis=1)
        return np.where(cumulative[:, -1] > 0, actions, -1).astype(np.int32)


@inline
def _row_draw(row, uniform, temperature):
    """One row of categorical_draw. Only this row's weights are stored."""
    top, weights, total = highest(row), np.empty_like(row), 0.0
    for i in range(row.size):
        weights[i] = exp((row[i] - top) / temperature)
    for i in range(row.size):
        total += weights[i]
    passed, action = 0.0, -1
    for i in range(row.size):
        if weights[i] > 0:
            passed, action = passed + weights[i], i     # if rounding passes all: the last one
        if passed > uniform * total:
            break
    return action if total > 0 else -1


@twin(plain=categorical_draw_plain, parallel=True, few=lambda logits, *_: logits.size < FEW)
def categorical_draw(logits, uniform, temperature):
    actions = np.empty(logits.shape[0], np.int32)
    coldest = logits.dtype.type(max(temperature, COLDEST))
    for n in numba.prange(logits.shape[0]):
        actions[n] = _row_draw(logits[n], uniform[n], coldest)
    return actions


def p_log_p(log_p):
    """p log p, where an action with the logit -inf has 0 log 0 = 0.  Shapes:  like log_p"""
    return np.exp(log_p) * np.where(np.isneginf(log_p), 0, log_p)
