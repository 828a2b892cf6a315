"""A policy's distribution over actions: log-probability of the one taken, and entropy."""

import math

import numba
import numpy as np

from minillm.kernels.exp import exp
from minillm.kernels.tile import highest
from minillm.kernels.twin import inline, twin


def categorical_forward_plain(logits, actions):
    """Log-probability of each action and entropy of each row.

        logprob_n = logits[n, a_n] - lse_n,   entropy_n = -sum_V p log p

    Shapes:  logits (N, V), actions (N,) int32 < V -> logprob (N,), entropy (N,), lse (N,), all nats
    """
    top = logits.max(axis=-1)
    lse = top + np.log(np.exp(logits - top[:, None]).sum(axis=-1))
    log_p = logits - lse[:, None]
    return log_p[np.arange(len(actions)), actions], -p_log_p(log_p).sum(axis=-1), lse


def categorical_backward_plain(logits, actions, lse, entropy, dlogprob, dentropy):
    """dlogits = dlogprob * (onehot - p) - dentropy * p * (log p + entropy), in place of logits.

    Shapes:  logits (N, V), the others (N,) -> dlogits (N, V)
    """
    log_p = logits - lse[:, None]
    p = np.exp(log_p)
    logits[:] = -dlogprob[:, None] * p - dentropy[:, None] * (p_log_p(log_p) + p * entropy[:, None])
    logits[np.arange(len(actions)), actions] += dlogprob
    return logits


def p_log_p(log_p):
    """p log p, with 0 log 0 = 0 for an action that is ruled out (logit -inf).  Shapes:  like log_p"""
    return np.exp(log_p) * np.where(np.isneginf(log_p), 0, log_p)


@inline
def _row_statistics(row, action):
    """Log-probability of the action, entropy and log-sum-exp of one row of logits."""
    zero = row.dtype.type(0)
    top, total, mean = highest(row), zero, zero
    for i in range(row.size):
        weight = exp(row[i] - top)
        total += weight
        mean += weight * (row[i] - top) if row[i] != -np.inf else zero
    log_total = math.log(total)
    return row[action] - top - log_total, log_total - mean / total, top + log_total


@twin(plain=categorical_forward_plain, parallel=True)
def categorical_forward(logits, actions):
    N = logits.shape[0]
    logprob, entropy, lse = np.empty(N, logits.dtype), np.empty(N, logits.dtype), np.empty(N, logits.dtype)
    for n in numba.prange(N):
        logprob[n], entropy[n], lse[n] = _row_statistics(logits[n], actions[n])
    return logprob, entropy, lse


@inline
def _row_gradient(row, action, lse, entropy, dlogprob, dentropy):
    """Gradient in place of one row of logits."""
    for i in range(row.size):
        log_p = row[i] - lse
        p = exp(log_p)
        inner = log_p if row[i] != -np.inf else row.dtype.type(0)
        row[i] = -p * (dlogprob + dentropy * (inner + entropy))
    row[action] += dlogprob


@twin(plain=categorical_backward_plain, parallel=True)
def categorical_backward(logits, actions, lse, entropy, dlogprob, dentropy):
    for n in numba.prange(logits.shape[0]):
        _row_gradient(logits[n], actions[n], lse[n], entropy[n], dlogprob[n], dentropy[n])
    return logits
