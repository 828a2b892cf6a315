"""AdamW: each weight moves by its mean gradient divided by the running root mean square."""

from minillm import tree
from minillm.kernels.adamw import adamw_step

EPSILON = 1e-8          # added to the root of the second moment; in the gradient's unit


def adamw_init(params):
    """Moments at zero, no step taken.  Shapes:  mean and square have the parameters' structure"""
    return {"mean": tree.zeros_like(params), "square": tree.zeros_like(params), "step": 0}


def adamw_update(params, grads, state, lr, settings, scale=1.0, frozen=()):
    """Take one step, in place; matrices decay, vectors (gains, biases) do not.

        g = scale * grad,   m = b1 m + (1 - b1) g,   v = b2 v + (1 - b2) g^2
        w = w - lr (m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps) + decay w)

    lr is `table_lr` times as large for the tables (embedding and head): each of their rows belongs
    to one token, which few batches hold, so it takes few steps.
    scale: factor of the gradient, for clipping without an extra pass over memory.
    frozen: dotted names of parameters, or of whole branches, that are not changed. Their gradients
    still count in the gradient norm.
    Source:  Loshchilov & Hutter 2017, arXiv:1711.05101, algorithm 2.
    """
    state["step"] += 1
    leaves = list(tree.zipped(params, grads, state["mean"], state["square"]))
    for name, param, grad, mean, square in leaves:
        if is_frozen(name, frozen):
            continue
        decay = settings.weight_decay if param.ndim >= 2 else 0.0
        its_lr = lr * settings.table_lr if is_table(name) else lr
        adamw_step(param.reshape(-1), grad.reshape(-1), mean.reshape(-1), square.reshape(-1),
                   its_lr, settings.beta1, settings.beta2, EPSILON, decay, state["step"], scale)


def is_table(name):
    """Whether a parameter has a row for each token, or each position: embeddings and the head."""
    return not {"embedding", "head"}.isdisjoint(name.split("."))


def is_frozen(name, frozen):
    """Whether a parameter is one of the frozen names, or lies in a frozen branch."""
    return any(name == branch or name.startswith(branch + ".") for branch in frozen)
