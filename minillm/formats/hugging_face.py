"""The names of tensors in Hugging Face's LlamaForCausalLM, MixtralForCausalLM, GPT2LMHeadModel and
GPTNeoForCausalLM.

A model with the parts of one of these families is written in its format. Any other mix is written
under minillm's names, as model_type "minillm", which Hugging Face's libraries cannot read. One
table of names serves both directions.
"""

import re
from itertools import product
from typing import NamedTuple

import numpy as np

from minillm import tree
from minillm.formats.families import FAMILIES, family


class Row(NamedTuple):
    """One tensor of the format, and the parameters that it holds; {} is the block's number, a
    second {} the expert's.
    """
    ours: tuple                 # names of the parameters that are concatenated in the tensor
    theirs: str                 # name of the tensor
    transposed: bool = False    # True: the format stores (in, out) instead of (out, in)
    divided: bool = False       # True: the format stores the parameter / sqrt(D)


ROTARY_ROWS = [
    Row(("embedding.token",), "model.embed_tokens.weight"),
    Row(("norm.gain",), "model.norm.weight"),
    Row(("head.weight",), "lm_head.weight"),
    Row(("blocks.{}.norm1.gain",), "model.layers.{}.input_layernorm.weight"),
    Row(("blocks.{}.norm2.gain",), "model.layers.{}.post_attention_layernorm.weight"),
    Row(("blocks.{}.attention.query.weight",), "model.layers.{}.self_attn.q_proj.weight"),
    Row(("blocks.{}.attention.key.weight",), "model.layers.{}.self_attn.k_proj.weight"),
    Row(("blocks.{}.attention.value.weight",), "model.layers.{}.self_attn.v_proj.weight"),
    Row(("blocks.{}.attention.output.weight",), "model.layers.{}.self_attn.o_proj.weight"),
]

LLAMA_ROWS = [
    *ROTARY_ROWS,
    Row(("blocks.{}.feed_forward.gate.weight",), "model.layers.{}.mlp.gate_proj.weight"),
    Row(("blocks.{}.feed_forward.up.weight",), "model.layers.{}.mlp.up_proj.weight"),
    Row(("blocks.{}.feed_forward.down.weight",), "model.layers.{}.mlp.down_proj.weight"),
]

# transformers 5 stacks a block's experts into one tensor, in memory alone: its files are these.
EXPERT = "model.layers.{}.block_sparse_moe.experts.{}."
MIXTRAL_ROWS = [
    *ROTARY_ROWS,
    Row(("blocks.{}.feed_forward.router.weight",), "model.layers.{}.block_sparse_moe.gate.weight"),
    Row(("blocks.{}.feed_forward.experts.{}.gate.weight",), EXPERT + "w1.weight"),
    Row(("blocks.{}.feed_forward.experts.{}.down.weight",), EXPERT + "w2.weight"),
    Row(("blocks.{}.feed_forward.experts.{}.up.weight",), EXPERT + "w3.weight"),
]

LEARNED_ROWS = [
    Row(("embedding.token",), "transformer.wte.weight"),
    Row(("embedding.position",), "transformer.wpe.weight"),
    Row(("norm.gain",), "transformer.ln_f.weight"),
    Row(("norm.bias",), "transformer.ln_f.bias"),
    Row(("head.weight",), "lm_head.weight"),
    Row(("blocks.{}.norm1.gain",), "transformer.h.{}.ln_1.weight"),
    Row(("blocks.{}.norm1.bias",), "transformer.h.{}.ln_1.bias"),
    Row(("blocks.{}.norm2.gain",), "transformer.h.{}.ln_2.weight"),
    Row(("blocks.{}.norm2.bias",), "transformer.h.{}.ln_2.bias"),
]

# GPT-2 stores its matrices as (in, out), and query, key and value in one matrix.
GPT2_ROWS = [
    *LEARNED_ROWS,
    Row(("blocks.{}.attention.query.weight", "blocks.{}.attention.key.weight",
         "blocks.{}.attention.value.weight"), "transformer.h.{}.attn.c_attn.weight", True),
    Row(("blocks.{}.attention.query.bias", "blocks.{}.attention.key.bias",
         "blocks.{}.attention.value.bias"), "transformer.h.{}.attn.c_attn.bias"),
    Row(("blocks.{}.attention.output.weight",), "transformer.h.{}.attn.c_proj.weight", True),
    Row(("blocks.{}.attention.output.bias",), "transformer.h.{}.attn.c_proj.bias"),
    Row(("blocks.{}.feed_forward.up.weight",), "transformer.h.{}.mlp.c_fc.weight", True),
    Row(("blocks.{}.feed_forward.up.bias",), "transformer.h.{}.mlp.c_fc.bias"),
    Row(("blocks.{}.feed_forward.down.weight",), "transformer.h.{}.mlp.c_proj.weight", True),
    Row(("blocks.{}.feed_forward.down.bias",), "transformer.h.{}.mlp.c_proj.bias"),
]

# GPT-Neo does not divide scores by sqrt(D): its queries have learned to be as much smaller.
PROJECTION = "transformer.h.{}.attn.attention."
GPT_NEO_ROWS = [
    *LEARNED_ROWS,
    Row(("blocks.{}.attention.query.weight",), PROJECTION + "q_proj.weight", divided=True),
    Row(("blocks.{}.attention.key.weight",), PROJECTION + "k_proj.weight"),
    Row(("blocks.{}.attention.value.weight",), PROJECTION + "v_proj.weight"),
    Row(("blocks.{}.attention.output.weight",), PROJECTION + "out_proj.weight"),
    Row(("blocks.{}.attention.output.bias",), PROJECTION + "out_proj.bias"),
    Row(("blocks.{}.feed_forward.up.weight",), "transformer.h.{}.mlp.c_fc.weight"),
    Row(("blocks.{}.feed_forward.up.bias",), "transformer.h.{}.mlp.c_fc.bias"),
    Row(("blocks.{}.feed_forward.down.weight",), "transformer.h.{}.mlp.c_proj.weight"),
    Row(("blocks.{}.feed_forward.down.bias",), "transformer.h.{}.mlp.c_proj.bias"),
]

ROWS = {"llama": LLAMA_ROWS, "mixtral": MIXTRAL_ROWS, "gpt2": GPT2_ROWS, "gpt_neo": GPT_NEO_ROWS}

# A model that was saved without its output head has names without this prefix.
ROTARY_PREFIX = ("model.", ("embed_tokens.", "layers.", "norm."))
LEARNED_PREFIX = ("transformer.", ("wte.", "wpe.", "h.", "ln_f."))
PREFIX = {"llama": ROTARY_PREFIX, "mixtral": ROTARY_PREFIX, "gpt2": LEARNED_PREFIX,
          "gpt_neo": LEARNED_PREFIX}

# Constants that older versions of transformers saved with the weights, and computed again when they
# read them: the causal masks of GPT-2 and GPT-Neo, the rotary frequencies of Llama.
BUFFERS = re.compile(r"(transformer\.)?h\.\d+\.attn\.(attention\.)?(bias|masked_bias)"
                     r"|(model\.)?layers\.\d+\.self_attn\.rotary_emb\.inv_freq")
HEAD, TABLE = "lm_head.weight", "embedding.token"


def is_buffer(name):
    """Whether a tensor holds no weights."""
    return BUFFERS.fullmatch(name) is not None


def table(name, config, known):
    """The rows of the family `name` for every block and expert, without those whose parameters are
    not in `known`.
    """
    rows = []
    for row in ROWS[name]:
        counts = (config.layers, config.experts)[:row.theirs.count("{}")]
        for numbers in product(*map(range, counts)):
            ours = tuple(each.format(*numbers) for each in row.ours)
            if ours[0] in known:
                rows.append(row._replace(ours=ours, theirs=row.theirs.format(*numbers)))
    return rows


def times_root(array, config, power):
    """An array times sqrt(D)^power, in its own dtype, rounded once."""
    root = config.head_size ** (power / 2)
    return np.multiply(array, root, dtype=np.float64).astype(array.dtype)


def to_tensors(params, config):
    """The parameters as a flat dict of tensors in the family's names and layout.

    Raises:  ValueError that names a parameter which is not in the family's table.
    """
    named, name = dict(tree.named_leaves(params)), family(config)
    if name == "minillm":
        return named
    tensors = {}
    for row in table(name, config, named):
        parts = [named.pop(each) for each in row.ours]
        whole = np.concatenate(parts) if len(parts) > 1 else parts[0]
        whole = times_root(whole, config, -1) if row.divided else whole
        tensors[row.theirs] = np.ascontiguousarray(whole.T if row.transposed else whole)
    if named:
        raise ValueError(f"parameter {next(iter(named))} has no name in the format of {name}; it "
                         "would be lost")
    return tensors


def as_it_is(tensor, transposed=False):
    """A tensor that is an array already."""
    return tensor.T if transposed else tensor


def from_tensors(tensors, config, like, load=as_it_is, name=None):
    """to_tensors in reverse, into the structure of `like`.

    name: of the family whose names the tensors have; None: that which to_tensors would write.
    tensors: {name: what has a .shape}; load(it, transposed) -> the array, asked for one by one,
    after the names and shapes of all were checked.
    The prefix of the family's names may be missing, and a tied model may have its head a second
    time, if it is the same.
    Raises:  ValueError that names a tensor which is missing, unexpected or has another shape.
    """
    name = name or family(config)
    if name == "minillm":
        return tree.from_named(like, tensors, load)
    tensors, named, expected = with_prefix(tensors, name), {}, tree.named_shapes(like)
    rows = table(name, config, expected)
    for row in rows:
        check_shape(row, tensors, expected)
    head = tensors.get(HEAD) if config.tied else None
    extra = tensors.keys() - {row.theirs for row in rows} - ({HEAD} if config.tied else set())
    if extra:
        raise ValueError(f"tensor {min(extra)} is not part of this model")
    for row in rows:
        whole = load(tensors[row.theirs], row.transposed)
        if row.ours == (TABLE,) and head is not None:
            if head.shape != whole.shape or not np.array_equal(load(head), whole):
                raise ValueError(f"tensor {HEAD} is not the embedding ({row.theirs}), but "
                                 "tie_word_embeddings says that the two are one table")
        whole = times_root(whole, config, 1) if row.divided else whole
        ends = np.cumsum([expected[each][0] for each in row.ours])
        parts = np.split(whole, ends[:-1])
        named.update(zip(row.ours, map(np.ascontiguousarray, parts)))
    return tree.from_named(like, named)


def with_prefix(tensors, name):
    """The tensors under the names of the whole model."""
    prefix, starts = PREFIX[name]
    full = {(prefix if each.startswith(starts) else "") + each: tensor
            for each, tensor in tensors.items()}
    if len(full) < len(tensors):
        raise ValueError(f"{len(tensors) - len(full)} tensors are there with and without "
                         f"{prefix!r} in their names")
    return full


def check_shape(row, tensors, expected):
    """Refuse a tensor that is missing or has another shape than its parameters together."""
    if row.theirs not in tensors:
        raise ValueError(f"tensor {row.theirs} is missing")
    rows = sum(expected[name][0] for name in row.ours)
    shape = (rows, *expected[row.ours[0]][1:])
    shape = shape[::-1] if row.transposed else shape
    if tensors[row.theirs].shape != shape:
        raise ValueError(f"tensor {row.theirs} has shape {tensors[row.theirs].shape}, expected "
                         f"{shape}")


def as_classifier(tensors, config, head):
    """A model's tensors and config.json as those of a classifier of one label, which is the reward.

    LlamaForSequenceClassification and the like read the last token that is not pad, as a reward
    model does, and have no output head.
    head: {"weight": (1, C)}
    Raises:  ValueError for a mix of parts, for which the transformers library has no class.
    """
    if "architectures" not in config:
        raise ValueError("a model that mixes parts of several families has no class in the "
                         "transformers library, so its reward model cannot be exported")
    body = {name: array for name, array in tensors.items() if name != HEAD}
    kind = re.sub("ForCausalLM|LMHeadModel", "", FAMILIES[config["model_type"]].architecture)
    return {**body, "score.weight": head["weight"]}, {
        **config, "architectures": [f"{kind}ForSequenceClassification"],
        "id2label": {"0": "reward"}, "label2id": {"reward": 0}}
