"""Checks before long work begins: refuse models that are too large and data that are unusable."""

import hashlib
import json
import os
from dataclasses import replace

from minillm.config import require
from minillm.model.size import training_bytes
from minillm.text.tokenizer import BYTES_AND_CONTROL

DEFAULT_MEMORY = 64e9       # bytes, if the system does not say how much it has
TEXT_BYTES = 10e6           # bytes of memory per megabyte of the world's text, during the work


def check_config(config):
    """Refuse a model that does not fit this machine's memory.  Raises:  ValueError"""
    memory = DEFAULT_MEMORY
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    needed = bytes_needed(config)
    require(needed <= memory,
            f"this model and its batches need about {needed / 1e9:,.0f} GB of memory, the machine "
            f"has {memory / 1e9:,.0f}; lower model.width, model.layers, model.context, "
            "tokenizer.vocab_size or pretrain.rows")


def bytes_needed(config):
    """Approximate memory of pretraining, in bytes: the model, one micro-batch, the text."""
    tokenizer, settings = config.tokenizer, config.pretrain
    vocab_size = BYTES_AND_CONTROL if tokenizer.kind == "characters" else tokenizer.vocab_size
    shape = replace(config.model, vocab_size=vocab_size)
    rows = settings.rows // settings.micro_batches
    return training_bytes(shape, rows) + TEXT_BYTES * settings.megabytes


def fingerprint_of(stage, path):
    """Read a stage's data once, before anything is written.  Returns the sha256 of the data.

    Raises:  ValueError that names the file, the line and the fix.
    """
    records = stage.data.load(path)
    require(len(records) >= stage.data.least,
            f"{path} has one example; two or more are needed, because some are held out")
    digest = hashlib.sha256()
    for number, record in enumerate(records):       # the JSON of the whole list, piece by piece
        digest.update((", " if number else "[").encode() + json.dumps(record).encode())
    digest.update(b"]")
    return digest.hexdigest()
