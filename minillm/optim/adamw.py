"""AdamW over a tree: each weight moves by its mean gradient, measured in units of the gradient's spread."""

from minillm import tree
from minillm.kernels.adamw import adamw_step


def adamw_init(params):
    """Moments at zero, no step taken.  Shapes:  mean and square have the parameters' structure"""
    return {"mean": tree.zeros_like(params), "square": tree.zeros_like(params), "step": 0}


def adamw_update(params, grads, state, lr, config, scale=1.0):
    """Take one step, in place; matrices decay, vectors (gains, biases) do not.

        m = b1 m + (1 - b1) g,   v = b2 v + (1 - b2) g^2
        w = w - lr (m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps) + decay w)

    `scale` multiplies the gradient first: clipping costs no pass of its own.
    Source:  Loshchilov & Hutter 2017, arXiv:1711.05101, algorithm 2.
    """
    state["step"] += 1

    def update(param, grad, mean, square):
        decay = config.weight_decay if param.ndim >= 2 else 0.0
        adamw_step(param.reshape(-1), grad.reshape(-1), mean.reshape(-1), square.reshape(-1),
                   lr, config.beta1, config.beta2, 1e-8, decay, state["step"], scale)
    tree.tree_map(update, params, grads, state["mean"], state["square"])
