"""The one training loop: pretraining, fine-tuning, the reward model and the policy all run through here."""

import time

import numpy as np

from minillm import tree
from minillm.optim.adamw import adamw_init, adamw_update
from minillm.optim.clipping import clip_scale, global_norm
from minillm.optim.schedule import learning_rate


def accumulate(loss_and_grads, params, micro_batches):
    """Loss, gradients and metrics of a batch that is computed in parts, as if it were computed whole.

        grad = sum_i weight_i grad_i / sum_i weight_i

    Each part is weighed by the tokens (or pairs) that it averaged over: an average of averages would
    let a token in a short part count more than one in a long part.
    """
    if len(micro_batches) == 1:
        return loss_and_grads(params, micro_batches[0])
    total, loss, weight, metrics = None, 0.0, 0.0, {}
    for batch in micro_batches:
        part = loss_and_grads(params, batch)
        total = tree.add_scaled(total, part.grads, part.weight)
        loss, weight = loss + part.weight * part.loss, weight + part.weight
        for name, value in part.metrics.items():
            metrics[name] = metrics.get(name, 0.0) + part.weight * value
    grads = tree.tree_map(lambda leaf: leaf / leaf.dtype.type(weight), total)
    return part._replace(loss=loss / weight, grads=grads, weight=weight,
                         metrics={name: value / weight for name, value in metrics.items()})


def check_finite(step, part, norm, lr):
    """Raise FloatingPointError before a step that is not finite touches the parameters."""
    if np.isfinite(part.loss) and np.isfinite(norm):
        return
    bad = [name for name, leaf in tree.named_leaves(part.grads) if not np.isfinite(leaf).all()]
    raise FloatingPointError(f"step {step}: loss {part.loss}, gradient norm {norm}, learning rate {lr:.1e}; "
                             f"first tensor that is not finite: {bad[0] if bad else 'none, the loss alone'}; "
                             "the parameters were left as they were; try a lower lr")


def train(params, settings, batch_at, loss_and_grads, *, optimizer=None, start=0, watch=None):
    """Fit params in place with AdamW; loss_and_grads is all that tells the phases apart.

    batch_at(step, params) -> list of micro-batches, a pure function of its arguments, so that a run
    that was stopped goes on as if it had not been.
    watch(step, params, optimizer, record) sees every step after it was taken.
    Returns the optimizer's state.
    Raises:  FloatingPointError where the loss or the gradient is not finite.
    """
    optimizer = optimizer if optimizer is not None else adamw_init(params)
    for step in range(start, settings.steps):
        began = time.perf_counter()
        part = accumulate(loss_and_grads, params, batch_at(step, params))
        norm = global_norm(part.grads)
        lr = learning_rate(step, settings)
        check_finite(step, part, norm, lr)
        adamw_update(params, part.grads, optimizer, lr, settings, clip_scale(norm, settings.clip))
        record = {"step": step, "loss": part.loss, "lr": lr, "grad_norm": norm, "weight": part.weight,
                  "seconds": time.perf_counter() - began, **part.metrics}
        if watch is not None:
            watch(step, params, optimizer, record)
    return optimizer
