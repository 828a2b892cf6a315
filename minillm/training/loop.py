"""The one training loop: pretraining, fine-tuning, the reward model and the policy all use it."""

import time
from typing import Callable, NamedTuple

import numpy as np

from minillm import tree
from minillm.optim.adamw import adamw_init, adamw_update
from minillm.optim.clipping import clip_scale, global_norm
from minillm.optim.muon import muon_init, muon_update
from minillm.optim.schedule import learning_rate
from minillm.training.tracing import first_not_finite
from minillm.tree import brief


class State(NamedTuple):
    """All that a run needs to resume after a step as if it had never stopped."""
    params: dict            # changed in place, step by step
    optimizer: dict         # mean and square, with the parameters' structure; step, a number
    rollout: tuple = None   # sampled data that later steps still learn from

    __repr__ = brief


class Rollouts(NamedTuple):
    """Data that the trained policy samples itself: each rollout serves a few optimizer steps."""
    sample: Callable        # (number of the rollout, params) -> (rollout, metrics)
    epochs: int             # optimizer steps on the same rollout
    kind: type              # the named tuple that a rollout is


def accumulate(objective, params, micro_batches):
    """Loss and gradients of a batch computed in parts; the same as those of the whole batch.

        grad = sum_i weight_i grad_i / sum_i weight_i

    Each part is weighted by the tokens (or pairs) that it averaged over. In a plain average of
    averages, a token of a short part would count more than a token of a long one. Metrics are
    weighted means too, so a maximum (ratio_distance) becomes a mean of the parts' maxima.
    """
    if len(micro_batches) == 1:
        return objective(params, micro_batches[0])
    total, loss, weight, metrics = None, 0.0, 0.0, {}
    for batch in micro_batches:
        part = objective(params, batch)
        total = tree.add_scaled(total, part.grads, part.weight)
        loss, weight = loss + part.weight * part.loss, weight + part.weight
        for name, value in part.metrics.items():
            metrics[name] = metrics.get(name, 0.0) + part.weight * value
    grads = tree.tree_map(lambda leaf: leaf / leaf.dtype.type(weight), total)
    return part._replace(loss=loss / weight, grads=grads, weight=weight,
                         metrics={name: value / weight for name, value in metrics.items()})


def check_finite(step, part, norm, lr, objective, params, micro_batches):
    """Refuse a step that is not finite before it touches the parameters or the moments.

    To name the first tensor that became so, the step is computed again, watched.
    Raises:  FloatingPointError
    """
    if np.isfinite(part.loss) and np.isfinite(norm):
        return
    first = first_not_finite(lambda: accumulate(objective, params, micro_batches), params,
                             micro_batches)
    raise FloatingPointError(
        f"step {step}: loss {part.loss}, gradient norm {norm}, learning rate {lr:.1e}; first "
        f"tensor that is not finite: {first or 'none that a layer or a loss returned'}; "
        "the parameters were left as they were; try a lower lr")


def train(params, settings, batch_at, objective, *, state=None, rollouts=None, frozen=(),
          watch=None):
    """Fit params in place; each stage passes its own batches and objective.

    batch_at(step) -> list of micro-batches, a pure function of its argument, so that a stopped run
    resumes as if it had not stopped. With rollouts it is batch_at(step, rollout), and the rollout
    is part of the state.
    objective(params, micro-batch) -> Objective
    state: the State to resume from; None starts a new training.
    frozen: dotted names of parameters, or of branches of them, that are not changed.
    watch(state, record) is called after every step.
    Returns the State after the last step.
    Raises:  FloatingPointError if the loss or the gradient is not finite.
    """
    init, update = ((muon_init, muon_update) if settings.optimizer == "muon" else
                    (adamw_init, adamw_update))
    optimizer = init(params) if state is None else state.optimizer
    rollout = None if state is None else state.rollout
    for step in range(optimizer["step"], settings.steps):
        began, sampled = time.perf_counter(), {}
        if rollouts is None:
            micro_batches = batch_at(step)
        else:
            if rollout is None:
                rollout, sampled = rollouts.sample(step // rollouts.epochs, params)
            micro_batches = batch_at(step, rollout)
        part = accumulate(objective, params, micro_batches)
        norm = global_norm(part.grads)
        lr = learning_rate(step, settings)
        check_finite(step, part, norm, lr, objective, params, micro_batches)
        scale = clip_scale(norm, settings.clip)
        update(params, part.grads, optimizer, lr, settings, scale, frozen)
        if rollouts is not None and (step + 1) % rollouts.epochs == 0:
            rollout = None                  # used up: the next step samples a new one
        record = {"step": step, "loss": part.loss, "lr": lr, "grad_norm": norm,
                  "weight": part.weight, "seconds": time.perf_counter() - began,
                  **part.metrics, **sampled}
        if watch is not None:
            watch(State(params, optimizer, rollout), record)
    return State(params, optimizer, rollout)
