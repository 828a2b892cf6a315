"""An objective of a whole model as one of its adapter alone."""

from minillm import tree
from minillm.model.adapter import attach


def adapter_objective(trained, batch, base, adapter, objective):
    """The loss of the frozen model with its adapter, and the gradients of the adapter.

    trained: {"adapter": tree}, which is what the loop trains
    base: parameters of the model, which are read only; objective(params, batch) -> Objective
    """
    adapter = adapter._replace(params=trained["adapter"])
    part = objective(attach(base, adapter), batch)
    return part._replace(grads={"adapter": tree.part_like(part.grads, adapter.params)})
