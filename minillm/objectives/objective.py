"""The interface between the stages and the training loop, which knows only objectives:

    objective(params, batch) -> Objective(loss, grads, weight, metrics)

The loss is a weighted mean over tokens or pairs. `weight` is the sum of their weights; the loop
weights micro-batches by it.
"""

from typing import NamedTuple

from minillm import tree


class Objective(NamedTuple):
    """The loss of one batch, its gradients, and what the loop logs."""
    loss: float         # weighted mean; in nats for next-token and ranking
    grads: dict         # with the keys of the parameters
    weight: float       # sum of the weights of the tokens or pairs
    metrics: dict       # further numbers for the log

    def __repr__(self):
        return (f"Objective(loss {self.loss:.4f} over {self.weight:g}, "
                f"{tree.count(self.grads):,} gradients, metrics {self.metrics})")
