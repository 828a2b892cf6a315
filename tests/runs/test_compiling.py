"""What is compiled before the first training is what training and sampling need."""

import os
from functools import partial

import numpy as np
import pytest
from numba.core import event

from minillm.config import GPT2, ModelConfig
from minillm.phases.pretrain import PretrainConfig
from minillm.model.decoding import generate_tokens
from minillm.model.transformer import one_document, transformer_init
from minillm.model.scoring import token_logprobs
from minillm.runs import compiling
from minillm.text.batches import Batch
from minillm.train.loop import train
from minillm.objectives.next_token import next_token_objective

COMPILED = os.environ.get("MINILLM_KERNELS") != "plain" and os.environ.get("NUMBA_DISABLE_JIT", "0") == "0"


class Names(event.Listener):
    """The functions that numba compiles, or loads from its cache, while it listens."""

    def __init__(self):
        self.names = []

    def on_start(self, event):
        self.names.append(event.data["dispatcher"].py_func.__name__)

    def on_end(self, event):
        pass


@pytest.mark.skipif(not COMPILED, reason="nothing is compiled")
@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_a_step_and_a_sample_compile_nothing_more(family):
    config = ModelConfig(vocab_size=300, **({} if family == "llama" else {"kv_heads": 4, "hidden": 512, **GPT2}))
    compiling.compile_attention_and_sampling(config.norm, config.activation), compiling.compile_the_rest(config)
    tokens = np.random.default_rng(0).integers(0, 300, (2, 2, 64)).astype(np.int32)
    batch = Batch(*tokens, np.ones((2, 64), np.float32), *one_document(tokens[0]))
    params = transformer_init(config, np.random.default_rng(0))
    prompts, settings = [tokens[0, 0, :5], tokens[0, 1, :9]], dict(end_id=0, pad_id=0, max_new_tokens=3)
    with event.install_listener("numba:compile", Names()) as listening:
        train(params, PretrainConfig(steps=1), lambda step: [batch], partial(next_token_objective, config=config))
        generate_tokens(params, config, 40 * prompts, np.random.default_rng(0), **settings)
        generate_tokens(params, config, prompts[:1], np.random.default_rng(0), **settings)
        token_logprobs(params, config, batch, 1.0)
    assert listening.names == []


def test_kernels_are_cold_where_the_cache_is_empty(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert compiling.kernels_are_cold() == COMPILED
    (tmp_path / "adamw.x.nbi").touch()
    assert not compiling.kernels_are_cold()
