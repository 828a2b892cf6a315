"""The first start: all kernels are compiled before the work begins, on two cores where there are two.

numba compiles one function at a time. Attention takes half of it all, so a second process compiles that and leaves it in
numba's cache, while this one compiles the rest. No two processes compile the same kernel, and helpers are not kept in the
cache (kernels/twin.py): two writers of one entry could mix it up.
"""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

# Enough of everything for the kernels of large work, which is what training takes: kernels/matmul.py, FEW
B, T, C = 2, 64, 64


def kernels_are_cold():
    """Whether numba's cache has no product yet, and kernels are compiled at all."""
    import minillm.kernels
    if os.environ.get("MINILLM_KERNELS") == "plain" or os.environ.get("NUMBA_DISABLE_JIT", "0") != "0":
        return False
    place = Path(os.environ.get("NUMBA_CACHE_DIR") or Path(minillm.kernels.__path__[0]) / "__pycache__")
    return next(place.rglob("matmul*.nbi"), None) is None


def compile_kernels(config):
    """Compile what a training step of a model like `config` needs."""
    if (os.cpu_count() or 1) < 2:
        return compile_the_rest(config)
    program = "from minillm.terminal.compiling import compile_attention; compile_attention()"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        compile_the_rest(config)        # on leaving, the other process is waited for


def compile_attention():
    """One forward and one backward of the attention kernels."""
    from minillm.kernels.attention import attention_backward, attention_forward
    q = np.ones((B, T, 2, 16), np.float32)
    first = np.zeros((B, T), np.int32)
    out, lse = attention_forward(q, q, q, first)
    attention_backward(out, q, q, q, out, lse, first)


def compile_the_rest(config):
    """Every layer but attention itself, forward and backward, the loss and the optimizer, once."""
    from minillm import tree
    from minillm.config import OptimizerConfig
    from minillm.layers import attention, embedding, feed_forward, norm, rotary
    from minillm.losses.next_token import next_token_backward, next_token_forward
    from minillm.model.transformer import causal, head_backward, head_forward, positions_of, transformer_init
    from minillm.optim.adamw import adamw_init, adamw_update
    from minillm.optim.clipping import global_norm

    config = replace(config, vocab_size=C, context=T, layers=1, width=C, heads=4, kv_heads=4, hidden=C)
    params, tokens = transformer_init(config, np.random.default_rng(0)), np.zeros((B, T), np.int32)
    block = params["blocks"][0]
    x, lookup = embedding.embedding_forward(tokens, params["embedding"]["token"])
    n, norm_cache = norm.norm_forward(x, block["norm1"], config.norm, config.norm_eps)
    _, _, _, _, rotations = attention.project(n, block["attention"], positions_of(causal(tokens)), config)
    y, cache = feed_forward.feed_forward_forward(n, block["feed_forward"], residual=x)
    logits, head = head_forward(y, params)
    _, loss = next_token_forward(logits.reshape(-1, C), tokens.reshape(-1), np.ones(B * T))
    dy, _ = head_backward(next_token_backward(1.0, loss).reshape(logits.shape), head)
    dn, _ = feed_forward.feed_forward_backward(dy, cache)
    if rotations is not None:
        rotary.rotary_backward(dn.reshape(B, T, config.heads, -1), rotations[0])
    dx, _ = norm.norm_backward(dn, norm_cache, residual=dy)
    embedding.embedding_backward(dx, lookup)
    grads = tree.zeros_like(params)
    adamw_update(params, grads, adamw_init(params), 1e-3, OptimizerConfig(), global_norm(grads))
