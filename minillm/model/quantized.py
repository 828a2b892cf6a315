"""int8 weights for a model that decodes, made of its float32 ones."""

from minillm import tree
from minillm.config import require
from minillm.kernels.int8 import Int8, quantize, refuse_int8
from minillm.model.finite import require_finite

MATRICES = ("weight", "token")      # last parts of the names of what becomes int8


def quantized(params):
    """Parameters with int8 weights in the linear layers and the tables of tokens, for decoding.

        w = s q,   q from -127 to 127,   s = max |w| / 127 of 64 neighbours in a row

    Norms, biases, learned positions and the routers of experts stay float32, and are shared with
    the parameters that were given, which stay as they are.
    Shapes:  parameters of a model -> the same tree, where a matrix (C_out, C_in) is an Int8
    Raises:  ValueError if there are int8 weights already, or an adapter beside the weights;
             FloatingPointError if a weight is not finite.
    """
    refuse_int8(params["embedding"]["token"], "nothing is left to round")
    require("lora" not in params["embedding"], "an adapter is beside the weights; merge it first "
                                               "(minillm.model.adapter.merge)")
    names = (name for name, _ in tree.named_leaves(params))

    def rounded(leaf):
        name = next(names)
        if name.rpartition(".")[2] not in MATRICES or "router" in name:
            return leaf
        require_finite(leaf, f"the weights of {name}")
        return quantize(leaf)
    return tree.tree_map(rounded, params)


def is_int8(params):
    """Whether a model's parameters are int8."""
    return isinstance(params["embedding"]["token"], Int8)
