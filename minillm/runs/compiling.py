"""The first start: compile the kernels before the work begins, on two cores if there are two.

numba compiles one function at a time; attention, decoding, sampling, the loss and AdamW take half
of the time. So a second process compiles these into the cache, while this one compiles the rest.
"""

import os
import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np

# Rows, tokens and channels: large enough to compile the kernels of training. A few rows would use
# other kernels.
B, T, C = 2, 64, 64


def kernels_are_cold():
    """True if kernels are to be compiled, and the cache has none of training's yet."""
    from minillm.kernels.cache import is_cached

    if (os.environ.get("MINILLM_KERNELS") == "plain"
            or os.environ.get("NUMBA_DISABLE_JIT", "0") != "0"):
        return False
    return not is_cached("adamw.adamw_step")


def compile_kernels(config, precisions=("float32",), muons=()):
    """Compile what a run of a model like `config` needs, with products of these precisions.

    muons: the precisions in which Muon is used.

    Returns a function that waits for the second process: the first training needs its kernels, but
    the vocabulary can be learned before it is done.
    It ends when this process does, however that ends: then its stdin is closed. Where it fails,
    this process compiles what is missing when it needs it.
    """
    from minillm.kernels.cache import cache_folder

    alone = (os.cpu_count() or 1) < 2 or cache_folder() is None
    other = None if alone else start_second_process()
    if other is None:
        compile_what_models_share()
    compile_the_rest(config, precisions, muons)
    return nothing_to_wait_for if other is None else other.wait


def nothing_to_wait_for():
    """All kernels are compiled."""


def start_second_process():
    """compile_what_models_share in another process; None if it does not start."""
    program = f"from {__name__} import second_process; second_process()"
    try:
        return subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except OSError:
        return None


def second_process():
    """compile_what_models_share, until it is done or the process that asked for it is gone."""
    def leave():
        sys.stdin.read()
        os._exit(1)
    threading.Thread(target=leave, daemon=True).start()
    compile_what_models_share()


def compile_what_models_share():
    """Compile the half that is the same for models of all families."""
    compile_attention_and_decoding()
    compile_sampling()
    compile_loss_and_adamw()


def compile_attention_and_decoding():
    """Compile attention, and a block's decoding of one token per row."""
    from minillm.config import ModelConfig
    from minillm.kernels.attention import attention_backward, attention_forward
    from minillm.layers.block import block_decode, block_init

    q, visible_from = np.ones((B, T, 2, 16), np.float32), np.zeros((B, T), np.int32)
    out, lse = attention_forward(q, q, q, visible_from)
    attention_backward(out, q, q, q, out, lse, visible_from)

    few, cache = np.ones((1, C), np.float32), np.ones((2, 1, 1, 1, C), np.float32)
    config = ModelConfig(width=C, heads=1, kv_heads=1, hidden=C)
    block = block_init(np.random.default_rng(0), config)        # one kernel serves all families
    block_decode(few, block, config, np.ones((2, 1, C // 2), np.float32), visible_from[0, :1],
                 visible_from[0, :1], 0, *cache, 1)


def compile_sampling():
    """Compile the logits of few rows, the draw, and the policy's log-probabilities."""
    from minillm.kernels.categorical import (categorical_backward, categorical_draw,
                                             categorical_forward)
    from minillm.kernels.matmul import matmul_nt

    few, actions = np.ones((1, C), np.float32), np.zeros(1, np.int32)
    for size in (C, 1024):              # one thread, then all threads
        matmul_nt(few, np.ones((size, C), np.float32))
    for logits in (few, np.ones((256, C), np.float32)):
        categorical_draw(logits, np.zeros(len(logits)), 1.0)
    logprob, entropy, lse = categorical_forward(few, actions)
    categorical_backward(few, actions, lse, entropy, logprob, entropy)


def compile_loss_and_adamw():
    """Compile the next-token loss, the gradient norm and AdamW."""
    from minillm.config import OptimizerConfig
    from minillm.losses.next_token import next_token_backward, next_token_forward
    from minillm.optim.adamw import adamw_init, adamw_update
    from minillm.optim.clipping import global_norm

    _, cache = next_token_forward(np.ones((B * T, C), np.float32), np.zeros(B * T, np.int32),
                                  np.ones(B * T))
    params = grads = {"weight": next_token_backward(1.0, cache)}
    adamw_update(params, grads, adamw_init(params), 1e-3, OptimizerConfig(), global_norm(grads))


def compile_the_rest(config, precisions=("float32",), muons=()):
    """Compile the tokenizer, every layer except attention, and Muon in these precisions."""
    from minillm.kernels.bfloat16 import to_bfloat16
    from minillm.kernels.matmul import matmul_nt
    from minillm.layers import attention, embedding, feed_forward, norm, rotary
    from minillm.model.transformer import (head_backward, head_forward, one_document,
                                           transformer_init)
    from minillm.optim.muon import each_orthogonalized
    from minillm.text.learning import train_tokenizer

    train_tokenizer(["two to tango"], 264, "bpe").encode("to")
    config = replace(config, vocab_size=C, context=T, layers=1, width=C, heads=4, kv_heads=4,
                     hidden=C, experts=0)       # an expert is a feed-forward of the same kernels
    params, tokens = transformer_init(config, np.random.default_rng(0)), np.zeros((B, T), np.int32)
    positions, _ = one_document(tokens)
    block = params["blocks"][0]
    x, lookup = embedding.embedding_forward(tokens, params["embedding"]["token"])
    n, norm_cache = norm.norm_forward(x, block["norm1"], config.norm, config.norm_eps)
    _, _, _, projections = attention.project(n, block["attention"], config, positions)
    y, cache = feed_forward.feed_forward_forward(n, block["feed_forward"], residual=x)
    logits, head = head_forward(y, params)
    dy, _ = head_backward(logits, head)
    dn, _ = feed_forward.feed_forward_backward(dy, cache)
    if projections.q_rotation is not None:
        rotary.rotary_backward(dn.reshape(B, T, config.heads, -1), projections.q_rotation)
    dx, _ = norm.norm_backward(dn, norm_cache, residual=dy)
    embedding.embedding_backward(dx, lookup)
    if "bfloat16" in precisions:
        for numbers in (dx, np.ones((300, 300), np.float32)):   # one thread, then all threads
            rounded = to_bfloat16(numbers.reshape(len(numbers), -1))
        matmul_nt(rounded, rounded)
    for precision in muons:
        each_orthogonalized([np.ones((C, C), np.float32)], precision)
