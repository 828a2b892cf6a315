"""Routed experts: many feed-forwards, of which a router chooses a few for each token.

The model has the parameters of all experts, and does the work of the chosen ones.
"""

from typing import NamedTuple

import numpy as np

from minillm import tree
from minillm.layers.feed_forward import (feed_forward_backward, feed_forward_forward,
                                         feed_forward_init)
from minillm.layers.linear import LinearCache, linear_backward, linear_forward, linear_init
from minillm.tree import brief


class Balance(NamedTuple):
    """How evenly a batch uses the experts, and what its gradient needs; pads do not count."""
    real: np.ndarray        # (N,) bool: tokens that count
    probs: np.ndarray       # (N, E) softmax over all experts
    share: np.ndarray       # (E,) share f of the choices that fell on each expert; sums to 1
    value: float            # the balancing loss; 1 if all experts are used alike

    __repr__ = brief


class Work(NamedTuple):
    """What one expert did."""
    tokens: np.ndarray      # (n,) which of the N tokens chose it
    place: np.ndarray       # (n,) as their first choice (0), their second (1), ...
    out: np.ndarray         # (n, C)
    cache: tuple            # FeedForwardCache

    __repr__ = brief


class ExpertsCache(NamedTuple):
    """What experts_backward needs; N = B T tokens."""
    router: LinearCache
    chosen: np.ndarray      # (N, K) experts of each token, the likeliest first
    weights: np.ndarray     # (N, K) softmax over the chosen ones
    work: tuple             # Work of every expert; None for one that no token chose
    params: dict
    even: Balance           # None where visible_from was not given

    __repr__ = brief

    @property
    def balance(self):
        """The balancing loss."""
        return self.even.value


def experts_init(rng, config, shrink):
    """E feed-forwards and a router, which has no bias.  Shapes:  router weight (E, C)

    shrink: factor of the down projections' standard deviation, because their outputs are added to
    the residual stream.
    """
    router = linear_init(rng, config.width, config.experts, False, 1 / np.sqrt(config.width))
    return {"router": router,
            "experts": [feed_forward_init(rng, config, shrink) for _ in range(config.experts)]}


def softmax(logits):
    """exp(logits) / sum exp(logits) of each row.  Shapes:  (N, E) -> (N, E)"""
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def balance_of(logits, chosen, real):
    """The balancing loss: least, 1, where all experts are used alike.

        balance = E sum_e f_e P_e,   f_e = share of the tokens' choices that fell on expert e,
                                     P_e = mean over tokens of softmax(logits)_e

    f counts, so it has no gradient. P has one: it falls for the experts that are chosen too often.
    Shapes:  logits (N, E), chosen (N, K), real (N,) bool -> Balance
    Source:  Fedus et al. 2021 (Switch Transformer), arXiv:2101.03961, eq. 4 to 6, there for K = 1.
    """
    E, probs = logits.shape[1], softmax(logits)
    count = max(int(real.sum()), 1)
    share = np.bincount(chosen[real].reshape(-1), minlength=E) / (count * chosen.shape[1])
    mean = probs[real].sum(axis=0, dtype=np.float64) / count                # (E,)
    return Balance(real, probs, share, float(E * np.sum(share * mean)))


def experts_forward(x, params, active, visible_from=None, residual=None, precision="float32"):
    """The K experts that the router scores highest work on a token; their outputs are weighted.

        y = sum over the chosen e of  w_e feed_forward_e(x)  + residual
        w = softmax(scores of the chosen),   scores = W_router x

    No token is dropped: an expert takes all tokens that chose it, so a token's output does not
    depend on the others. The router's product is float32 in any precision, as its small
    differences decide.
    active: K. visible_from: the attention mask, which tells pads from tokens, for the balancing
    loss; without it, none is computed.
    Shapes:  x (..., C), visible_from (B, T) or None, residual as x or None -> y (..., C)
    Source:  Shazeer et al. 2017, arXiv:1701.06538; Jiang et al. 2024 (Mixtral), arXiv:2401.04088,
             section 2.1.
    """
    flat = x.reshape(-1, x.shape[-1])                                       # (N, C)
    y = np.zeros_like(flat) if residual is None else residual.reshape(flat.shape).copy()
    logits, router = linear_forward(flat, params["router"])                 # (N, E)
    chosen = np.argsort(-logits, axis=1, kind="stable")[:, :active]         # (N, K)
    weights = softmax(np.take_along_axis(logits, chosen, axis=1))
    work = []
    for number, expert in enumerate(params["experts"]):
        tokens, place = np.nonzero(chosen == number)                        # (n,) each
        if tokens.size == 0:
            work.append(None)
            continue
        out, cache = feed_forward_forward(flat[tokens], expert, precision=precision)   # (n, C)
        y[tokens] += weights[tokens, place, None] * out     # a token chooses an expert once
        work.append(Work(tokens, place, out, cache))
    even = None
    if visible_from is not None:
        real = visible_from <= np.arange(visible_from.shape[1])             # (B, T)
        even = balance_of(logits, chosen, real.reshape(-1))
    return y.reshape(x.shape), ExpertsCache(router, chosen, weights, tuple(work), params, even)


def experts_backward(dy, cache, d_balance=0.0):
    """experts_forward in reverse. Which experts are chosen has no gradient; their weights have.

        dout_e = w_e dy,   dw_e = dy . out_e,   dscores = w (dw - sum w dw)   of the chosen
        + d_balance dbalance/dscores:  p (g - sum p g),   g_e = E f_e / N     of all experts

    d_balance: d loss / d balance.
    Shapes:  dy (..., C) -> dx (..., C), gradients of the router and of every expert
    """
    flat = dy.reshape(-1, dy.shape[-1])                                     # (N, C)
    dx, d_weights, d_experts = np.zeros_like(flat), np.zeros_like(cache.weights), []
    for work, expert in zip(cache.work, cache.params["experts"]):
        if work is None:
            d_experts.append(tree.zeros_like(expert))
            continue
        its = flat[work.tokens]                                             # (n, C)
        d_weights[work.tokens, work.place] = (its * work.out).sum(axis=1)
        d_out = cache.weights[work.tokens, work.place, None] * its
        d_rows, d_expert = feed_forward_backward(d_out, work.cache)
        dx[work.tokens] += d_rows
        d_experts.append(d_expert)
    d_logits = router_gradient(d_weights, cache, d_balance)                 # (N, E)
    dx, d_router = linear_backward(d_logits, cache.router, into=dx)
    return dx.reshape(dy.shape), {"router": d_router, "experts": d_experts}


def router_gradient(d_weights, cache, d_balance):
    """d loss / d scores, of the weights and of the balancing loss.  Shapes:  (N, K) -> (N, E)"""
    weights = cache.weights
    d_chosen = weights * (d_weights - (weights * d_weights).sum(axis=1, keepdims=True))
    E = len(cache.work)
    d_logits = np.zeros((len(weights), E), weights.dtype)
    np.put_along_axis(d_logits, cache.chosen, d_chosen, axis=1)
    if d_balance:
        real, probs, share, _ = cache.even
        g = (d_balance * E / max(int(real.sum()), 1) * share).astype(probs.dtype)      # (E,)
        d_logits += real[:, None] * probs * (g - probs @ g[:, None])
    return d_logits
