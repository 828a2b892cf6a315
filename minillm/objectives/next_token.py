"""Pretraining and fine-tuning: cross-entropy of the targets that count (weight above 0)."""

from minillm.layers.rows import counted
from minillm.losses.next_token import next_token_backward, next_token_forward
from minillm.model.transformer import (head_backward, head_forward, transformer_backward,
                                       transformer_forward)
from minillm.objectives.objective import Objective


def next_token_objective(params, batch, config, recompute=False, precision="float32"):
    """Loss and gradients of a Batch: the mean over its targets, weighted by batch.weights.

        loss = -mean log p(target | the tokens before it)     in nats per token

    Shapes:  Batch of (B, T) -> Objective
    Raises:  ValueError if no target counts.
    """
    if not batch.weights.any():
        raise ValueError(f"none of the {batch.weights.size} targets of this batch counts: "
                         "every label is masked")
    index = counted(batch.weights)
    h, body = transformer_forward(batch.tokens, params, config, batch.positions,
                                  batch.visible_from, recompute, precision,
                                  wanted=index)                             # (N, C)
    logits, head = head_forward(h, params, precision)                       # (N, V)
    targets, weights = batch.targets.reshape(-1)[index], batch.weights.reshape(-1)[index]
    loss, loss_cache = next_token_forward(logits, targets, weights)

    dlogits = next_token_backward(1.0, loss_cache)      # overwrites the logits
    dh, d_head = head_backward(dlogits, head)
    grads = transformer_backward(dh, body, d_head, config.balance)
    loss, metrics = with_balance(float(loss), body, config)
    return Objective(loss, grads, float(weights.sum()), metrics)


def with_balance(loss, body, config):
    """(the loss with the balancing loss of a model's experts, if it has any; what the log tells).

        loss = cross-entropy + balance sum over blocks of their balancing loss (layers/experts.py)

    The log has both parts: cross_entropy, and balance as the mean of the blocks (1: all experts
    are used alike). Of several micro-batches, each balances its own tokens.
    """
    if config.experts == 0:
        return loss, {}
    metrics = {"cross_entropy": loss, "balance": body.balance / config.layers}
    return loss + config.balance * body.balance, metrics
