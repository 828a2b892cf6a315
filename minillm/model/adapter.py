"""An adapter: thin matrices beside a model's linear layers, which are trained in its place.

Its parameters are a tree of their own, with the model's keys where it has something:

    adapter.params["blocks"][0]["attention"]["query"]["lora"] = {"a": (R, C_in), "b": (C_out, R)}

The optimizer sees this tree alone. attach() lays it over the model's tree, and copies no array. A
layer's dict then shows both: {"weight", "lora": {"a", "b", "alpha"}}. merge() adds B A to the
weight.
"""

from typing import NamedTuple

import numpy as np

from minillm import tree
from minillm.config import require
from minillm.kernels.matmul import matmul_nn
from minillm.layers.lora import lora_init, scale_of

# Which linear layers of a block get an adapter: the parts of a layer's name, one of which it has.
LAYERS = {"all": ("attention", "feed_forward"), "attention": ("attention",),
          "feed_forward": ("feed_forward",), "query_value": ("query", "value")}


class Adapter(NamedTuple):
    """What is trained of a model, and how strongly it acts."""
    params: dict
    rank: int
    alpha: float

    def __repr__(self):
        return (f"Adapter of rank {self.rank}, alpha {self.alpha:g}: "
                f"{tree.count(self.params):,} parameters")


def new_adapter(params, rank, alpha, layers, rng):
    """An adapter that changes nothing yet, for the layers of LAYERS[layers].

    alpha: B A is multiplied by alpha / R, so another rank needs no other learning rate.
    Raises:  ValueError for a rank above a layer's smaller side, which B A cannot have.
    """
    blocks = [{} for _ in params["blocks"]]

    def begin(layer, path):
        if set(LAYERS[layers]).isdisjoint(path) or path[-1] == "router":
            return                      # of experts: the base's choice among them stays
        c_out, c_in = layer["weight"].shape
        require(rank <= min(c_in, c_out), f"lora is {rank}; a matrix of {c_out} x {c_in}, which "
                                          f"{dotted(path)} is, has a rank of {min(c_in, c_out)} at "
                                          "most; take that or less, or 0 to train the weights")
        put(blocks, path, lora_init(rng, c_in, c_out, rank))
    with_layers(params, begin)
    return Adapter({"blocks": blocks}, rank, float(alpha))


def largest_rank(config, layers):
    """The smallest side of a layer of LAYERS[layers].  Shapes:  ModelConfig -> int"""
    inner = config.kv_heads * config.head_size
    return min(config.width, config.hidden) if layers == "feed_forward" else \
        min(inner, config.hidden) if layers == "all" else inner


def attach(params, adapter):
    """The model's parameters with the adapter beside them, all else frozen; no array is copied.

    A frozen layer without an adapter has an empty "lora". A backward pass returns no gradient of a
    frozen table or matrix.
    Raises:  ValueError if a layer has an adapter already, or one that was merged.
    """
    def beside(layer, path):
        refuse_merged(layer, path)
        require("lora" not in layer, f"{dotted(path)} has an adapter already; merge it first")
        lora = adapter.params
        for key in path:
            lora = lora[key] if isinstance(lora, list) else lora.get(key, {})
        lora = {**lora["lora"], "alpha": np.float64(adapter.alpha)} if lora else {}
        return {**layer, "lora": lora}
    return with_layers(params, beside, frozen=True)


def adapter_of(params):
    """The Adapter that is beside the weights of a model's parameters, or None."""
    blocks, alphas, ranks = [{} for _ in params["blocks"]], [], []

    def take(layer, path):
        lora = layer.get("lora")
        if lora:
            put(blocks, path, without(lora, "alpha"))
            alphas.append(float(lora["alpha"]))
            ranks.append(len(lora["a"]))
    with_layers(params, take)
    return Adapter({"blocks": blocks}, ranks[0], alphas[0]) if ranks else None


def put(blocks, path, lora):
    """Put {"a", "b"} into the tree of an adapter, at the path of its layer."""
    place = blocks[path[1]]
    for key in path[2:]:
        place = place.setdefault(key, {})
    place["lora"] = lora


def merge(params):
    """Parameters with an adapter beside them -> the same model with one matrix a layer.

        W' = W + (alpha / R) B A

    The weights are new arrays, and the frozen ones stay as they were. A and B stay in the layer's
    dict under "merged", for unmerge. At use, the model is as fast as one without an adapter.
    Raises:  ValueError if there is no adapter, or it is merged already.
    """
    found = []

    def merged(layer, path):
        refuse_merged(layer, path)
        lora, rest = layer.get("lora"), without(layer, "lora")
        if not lora:
            return rest
        found.append(path)
        return {**rest, "weight": added(layer["weight"], lora, 1), "merged": lora}
    params = with_layers(params, merged)
    require(found, "there is no adapter beside these parameters; attach one first")
    return params


def unmerge(params):
    """merge in reverse, exact to rounding:  W = W' - (alpha / R) B A;  the adapter is beside it.

    Raises:  ValueError if nothing was merged.
    """
    found = []

    def unmerged(layer, path):
        if "merged" not in layer:
            return {**layer, "lora": {}}
        found.append(path)
        lora = layer["merged"]
        return {**without(layer, "merged"), "weight": added(layer["weight"], lora, -1),
                "lora": lora}
    params = with_layers(params, unmerged, frozen=True)
    require(found, "no adapter is merged into these parameters, so none can be taken out")
    return params


def plain(params):
    """Parameters without their adapters, as a model's file has them: merged weights, or frozen."""
    return with_layers(params, lambda layer, path: without(layer, "lora", "merged"))


def added(weight, lora, sign):
    """W + sign (alpha / R) B A, as a new array.

    Shapes:  weight (C_out, C_in), a (R, C_in), b (C_out, R) -> (C_out, C_in)
    """
    return matmul_nn(lora["b"] * (sign * scale_of(lora)), lora["a"], into=weight.copy())


def refuse_merged(layer, path):
    """Raises:  ValueError if an adapter is part of a layer's weight already."""
    require("merged" not in layer, f"the adapter of {dotted(path)} is merged into its weight "
                                   "already; merged again it would count twice; unmerge it first")


def with_layers(params, change, frozen=False):
    """Parameters with each linear layer of the blocks replaced by change(layer, path).

    path: the keys that lead to it, such as ("blocks", 0, "attention", "query").
    frozen: whether the tables, which are not changed, are marked as frozen.
    """
    def below(branch, path):
        if isinstance(branch, list):
            return [below(child, (*path, place)) for place, child in enumerate(branch)]
        if not isinstance(branch, dict):
            return branch
        if getattr(branch.get("weight"), "ndim", 0) == 2:
            return change(branch, path)
        return {key: below(child, (*path, key)) for key, child in branch.items()}
    mark = {"lora": {}} if frozen else {}
    tables = {name: {**without(params[name], "lora"), **mark}
              for name in ("embedding", "head") if name in params}
    return {**params, **tables, "blocks": below(params["blocks"], ("blocks",))}


def without(branch, *keys):
    """A dict without some of its keys."""
    return {key: child for key, child in branch.items() if key not in keys}


def dotted(path):
    """A path as a name: blocks.0.attention.query."""
    return ".".join(map(str, path))
