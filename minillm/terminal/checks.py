"""What is refused before long work begins: values that lead nowhere, models too large, unusable data."""

import hashlib
import json
import os
from dataclasses import asdict, fields, is_dataclass

from minillm.config import check_choices, require
from minillm.phases.preferences import read_rankings
from minillm.text import corpus

# name -> least value; the dataclasses check what belongs together.
LEAST = {"seed": 0, "tokenizer.vocab_size": 7, "pretrain.validation_every": 1, "pretrain.megabytes": 0.01,
         "finetune.conversations": 2, "finetune.task_steps": 1, "finetune.domain_steps": 1,
         "preferences.max_new_tokens": 1, "preferences.noise": 0.0, "rlhf.max_new_tokens": 1,
         "rlhf.prompts": 1, "rlhf.clip_ratio": 0.0}
SHARES = ("final_lr", "gamma", "gae_lambda")        # from 0 to 1
MEMORIES = ("beta1", "beta2")                       # from 0 to below 1
LEAST_BPE = 262                                     # 6 control tokens and every byte
DEFAULT_MEMORY = 64e9                               # bytes, where the system does not say what it has


def check_config(config):
    """Refuse a configuration that cannot be run.  Raises:  ValueError that names the key."""
    values = {name: value for name, value in dotted(asdict(config))}
    for name, value in values.items():
        key = name.rpartition(".")[2]
        require(value >= LEAST[name] if name in LEAST else True,
                f"{name} is {value}; it must be {LEAST.get(name)} or more")
        require(key not in SHARES or 0 <= value <= 1, f"{name} is {value}; it must lie between 0 and 1")
        require(key not in MEMORIES or 0 <= value < 1, f"{name} is {value}; it must be 0 or more and below 1")
    for item in fields(config):
        if is_dataclass(getattr(config, item.name)):
            check_choices(getattr(config, item.name))
    vocabulary = config.tokenizer
    require(vocabulary.kind != "bpe" or vocabulary.vocab_size >= LEAST_BPE,
            f"tokenizer.vocab_size is {vocabulary.vocab_size}; bytes and control tokens alone need {LEAST_BPE}")
    check_memory(config)


def dotted(nested, prefix=""):
    """Yield (dotted name, value) of a nested dict."""
    for key, value in nested.items():
        if isinstance(value, dict):
            yield from dotted(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def parameters_of(model, vocab_size):
    """About how many parameters a model has: its matrices; vectors are not counted."""
    share = 2 + 2 * model.kv_heads / model.heads                    # query, output; key, value
    feed_forward = (3 if model.activation == "swiglu" else 2) * model.width * model.hidden
    tables = vocab_size * (1 if model.tied else 2) + (model.context if model.position == "learned" else 0)
    return model.layers * (share * model.width ** 2 + feed_forward) + tables * model.width


def bytes_needed(config):
    """About the memory of pretraining: weights, gradients, two moments, one batch's activations, the text."""
    model, train = config.model, config.pretrain
    vocab_size = LEAST_BPE if config.tokenizer.kind == "characters" else config.tokenizer.vocab_size
    tokens = train.rows // train.micro_batches * model.context
    activations = tokens * (model.layers * (12 * model.width + 4 * model.hidden) + 2 * vocab_size)
    return 16 * parameters_of(model, vocab_size) + 4 * activations + 10e6 * train.megabytes


def check_memory(config):
    """Refuse what this machine cannot hold, before it swaps to a halt.  Raises:  ValueError"""
    memory = DEFAULT_MEMORY
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    needed = bytes_needed(config)
    require(needed <= memory,
            f"this model and its batches need about {needed / 1e9:,.0f} GB of memory, the machine has "
            f"{memory / 1e9:,.0f}; lower model.width, model.layers, model.context, tokenizer.vocab_size or "
            "pretrain.rows")


LOADERS = {"tokenizer": corpus.load_documents, "pretrain": corpus.load_documents,
           "finetune": corpus.load_conversations, "reward_model": corpus.load_preferences,
           "policy_gradient": corpus.load_preferences}


def check_data(stage, path):
    """Read a stage's data once, before anything is made.  Returns the sha256 of what was read.

    Raises:  ValueError that names the file, the line and the fix.
    """
    records = LOADERS[stage](path)
    require(stage in ("tokenizer", "pretrain") or len(records) >= 2,
            f"{path} has one line; two or more are needed, as some are held out")
    return hashlib.sha256(json.dumps(records).encode()).hexdigest()


def check_rankings(path):
    """Refuse rankings that a reward model cannot learn from.  Raises:  ValueError that names the line."""
    useful = sum(len(set(ranking.ranks)) > 1 for ranking in read_rankings(path))
    require(useful >= 2, f"{path} has {useful} rankings that are not all ties; two or more are needed, as "
                         "some are held out")
