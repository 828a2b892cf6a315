"""A Llama in PyTorch, written plainly: what decoding a real model is timed against.

Queries, keys and values are one product, gate and up another, attention is scaled_dot_product_attention over a
preallocated cache, in which the query heads of one key head are read as so many queries: of several ways to write it, the
one that is quickest on a CPU for one token at a time.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from minillm.layers.rotary import rotary_table


class RMSNorm(nn.Module):
    """Scale each token to unit RMS, then by a gain."""

    def __init__(self, gain, eps):
        super().__init__()
        self.gain, self.eps = nn.Parameter(torch.from_numpy(gain)), eps

    def forward(self, x):
        """Shapes:  (B, T, C) -> (B, T, C)"""
        return F.rms_norm(x, self.gain.shape, self.gain, self.eps)


def linear(*weights):
    """One linear layer with the rows of some weights.  Shapes:  each (C_out, C_in)"""
    whole = torch.from_numpy(np.concatenate(weights))
    layer = nn.Linear(whole.shape[1], whole.shape[0], bias=False, device="meta")
    layer.weight = nn.Parameter(whole)
    return layer


class Block(nn.Module):
    """Pre-norm block with rotary positions, grouped queries and SwiGLU, from minillm's parameters."""

    def __init__(self, config, params):
        super().__init__()
        self.heads, self.groups, self.size = config.heads, config.kv_heads, config.head_size
        attention, feed_forward = params["attention"], params["feed_forward"]
        self.norm1 = RMSNorm(params["norm1"]["gain"], config.norm_eps)
        self.norm2 = RMSNorm(params["norm2"]["gain"], config.norm_eps)
        self.qkv = linear(*(attention[name]["weight"] for name in ("query", "key", "value")))
        self.output = linear(attention["output"]["weight"])
        self.up = linear(feed_forward["gate"]["weight"], feed_forward["up"]["weight"])
        self.down = linear(feed_forward["down"]["weight"])

    def forward(self, x, cache, position, cos, sin):
        """cache: (keys, values), each (B, G, S, D), filled up to `position`; cos and sin of the tokens of x."""
        B, T, C = x.shape
        H, G, D = self.heads, self.groups, self.size
        qkv = self.qkv(self.norm1(x)).view(B, T, H + 2 * G, D).transpose(1, 2)             # (B, H + 2 G, T, D)
        low, high = qkv[:, :H + G].chunk(2, dim=-1)
        rotated = torch.cat([low * cos - high * sin, high * cos + low * sin], dim=-1)
        cache[0][:, :, position:position + T], cache[1][:, :, position:position + T] = rotated[:, H:], qkv[:, H + G:]
        k, v = cache[0][:, :, :position + T], cache[1][:, :, :position + T]
        q = rotated[:, :H]
        if T == 1:          # H / G queries that see the same keys
            y = F.scaled_dot_product_attention(q.reshape(B, G, H // G, D), k, v).reshape(B, 1, C)
        else:
            k, v = (each.repeat_interleave(H // G, dim=1) for each in (k, v))
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(B, T, C)
        x = x + self.output(y)
        gate, up = self.up(self.norm2(x)).chunk(2, dim=-1)
        return x + self.down(F.silu(gate) * up)


class Llama(nn.Module):
    """Token table, blocks, a norm, a head."""

    def __init__(self, config, params):
        super().__init__()
        self.config = config
        self.token = nn.Parameter(torch.from_numpy(params["embedding"]["token"]))
        self.head = nn.Parameter(torch.from_numpy(params["head"]["weight"])) if "head" in params else self.token
        self.blocks = nn.ModuleList(Block(config, block) for block in params["blocks"])
        self.norm = RMSNorm(params["norm"]["gain"], config.norm_eps)
        self.table = [torch.from_numpy(x) for x in
                      rotary_table(config.context, config.head_size, config.rope_theta, np.float32)]

    def new_cache(self, rows, length, rng=None):
        """A cache of zeros, or of random numbers."""
        size = (2, rows, self.config.kv_heads, length, self.config.head_size)
        return [tuple(torch.randn(size) if rng else torch.zeros(size)) for _ in self.blocks]

    def forward(self, tokens, caches, position):
        """The logits after the last token.  Shapes:  tokens (B, T) -> (B, V)"""
        x = self.token[tokens]
        cos, sin = (part[position:position + tokens.shape[1]] for part in self.table)
        for block, cache in zip(self.blocks, caches, strict=True):
            x = block(x, cache, position, cos, sin)
        return F.linear(self.norm(x[:, -1]), self.head)
