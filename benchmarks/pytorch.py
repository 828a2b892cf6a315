"""The same GPT-2 in PyTorch, written plainly: what minillm is timed against.

Queries, keys and values are one product, attention is scaled_dot_product_attention and AdamW is the fused one:
the ways of PyTorch that are quickest on a CPU.
"""

import numpy as np
import torch
from host import thread_count
from models import SETTINGS, Stepping, config_of, tokens_of
from products import Product
from torch import nn
from torch.nn import functional as F

from minillm.model.transformer import transformer_init


def ready_torch():
    """As many threads as minillm has.

    Importing minillm has set the allocator in this process too, so a step of PyTorch loses no time to page faults. How
    long waiting threads spin is the same for both sides: common.py sets it.
    """
    torch.set_num_threads(thread_count())


class Block(nn.Module):
    """Pre-norm block: attention, then the feed-forward, each added to what was there."""

    def __init__(self, C, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(C, bias=False), nn.LayerNorm(C, bias=False)
        self.qkv, self.output = nn.Linear(C, 3 * C, bias=False), nn.Linear(C, C, bias=False)
        self.up, self.down = nn.Linear(C, 4 * C, bias=False), nn.Linear(4 * C, C, bias=False)

    def forward(self, x, cache=None, position=0):
        """cache: (keys, values), each (B, H, S, D), filled up to `position`; x is then one token a row."""
        B, T, C = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(B, T, 3, self.heads, C // self.heads).permute(2, 0, 3, 1, 4)
        if cache is not None:
            cache[0][:, :, position:position + T], cache[1][:, :, position:position + T] = k, v
            k, v = cache[0][:, :, :position + T], cache[1][:, :, :position + T]
        y = F.scaled_dot_product_attention(q, k, v, is_causal=T > 1)        # (B, H, T, D)
        x = x + self.output(y.transpose(1, 2).reshape(B, T, C))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))


class GPT(nn.Module):
    """Token and position tables, blocks, a norm; the token table is the head too."""

    def __init__(self, config):
        super().__init__()
        self.token = nn.Embedding(config.vocab_size, config.width)
        self.position = nn.Embedding(config.context, config.width)
        self.blocks = nn.ModuleList(Block(config.width, config.heads) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width, bias=False)

    def forward(self, tokens, caches=None, position=0):
        """Shapes:  tokens (B, T) -> logits (B, T, V)"""
        x = self.token(tokens) + self.position.weight[position:position + tokens.shape[1]]
        for i, block in enumerate(self.blocks):
            x = block(x, caches and caches[i], position)
        return F.linear(self.norm(x), self.token.weight)


def load_params(model, params):
    """Copy minillm's parameters into a GPT."""
    def copy(into, *arrays):
        into.data.copy_(torch.from_numpy(np.concatenate(arrays)))
    copy(model.token.weight, params["embedding"]["token"])
    copy(model.position.weight, params["embedding"]["position"])
    copy(model.norm.weight, params["norm"]["gain"])
    for block, ours in zip(model.blocks, params["blocks"], strict=True):
        attention, feed_forward = ours["attention"], ours["feed_forward"]
        copy(block.norm1.weight, ours["norm1"]["gain"])
        copy(block.norm2.weight, ours["norm2"]["gain"])
        copy(block.qkv.weight, *(attention[name]["weight"] for name in ("query", "key", "value")))
        copy(block.output.weight, attention["output"]["weight"])
        copy(block.up.weight, feed_forward["up"]["weight"])
        copy(block.down.weight, feed_forward["down"]["weight"])
    return model


def new_model(config, seed=0):
    """A GPT with the weights that minillm's model of this seed starts from."""
    return load_params(GPT(config), transformer_init(config, np.random.default_rng(seed)))


def new_optimizer(model, settings):
    """AdamW that decays matrices and leaves vectors."""
    groups = [{"params": [p for p in model.parameters() if p.ndim >= 2], "weight_decay": settings.weight_decay},
              {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=settings.lr, betas=(settings.beta1, settings.beta2), eps=1e-8, fused=True)


def training_step(model, optimizer, tokens, targets, clip, precision=torch.float32):
    """Forward, backward, clipping, AdamW.  Returns the loss"""
    with torch.autocast("cpu", precision, enabled=precision != torch.float32):
        logits = model(tokens)
        loss = F.cross_entropy(logits.view(-1, logits.shape[-1]), targets.reshape(-1))
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    return loss.item()


def tensors(*arrays):
    """Token ids as PyTorch takes them."""
    return [torch.from_numpy(x.astype(np.int64)) for x in arrays]


@torch.no_grad()
def token_losses(model, tokens, targets):
    """Negative log-likelihood of every target.  Shapes:  (B, T) -> (B T,) NumPy"""
    return F.cross_entropy(model(tokens).flatten(0, 1), targets.flatten(), reduction="none").numpy()


class Training(Stepping):
    """The training steps of models.Training in eager PyTorch."""
    compiled, precision = False, torch.float32

    def __init__(self):
        ready_torch()

    def build(self, shape):
        """Make a new model, with the weights that ours starts from.  A compiled one is compiled by its first step."""
        self.shape, self.done = shape, 0
        self.model = new_model(config_of(shape))
        self.optimizer = new_optimizer(self.model, SETTINGS)
        if self.compiled:       # for this shape alone: of a second one, PyTorch would make kernels for all sizes
            torch.compiler.reset()
            self.model = torch.compile(self.model, dynamic=False)

    def steps(self, n):
        """Take n steps.  Returns their losses"""
        losses = []
        for _ in range(n):
            batch = tensors(*tokens_of(self.shape, self.done))
            losses.append(training_step(self.model, self.optimizer, *batch, SETTINGS.clip, self.precision))
            self.done += 1
        return losses


class CompiledTraining(Training):
    """The same through torch.compile."""
    compiled = True


class AutocastTraining(Training):
    """The same with bfloat16 autocast: weights stay float32, products take bfloat16."""
    precision = torch.bfloat16


class Float32(Product):
    """The products of a linear layer."""
    dtype = torch.float32

    def __init__(self):
        ready_torch()

    def threads(self, count):
        """Take so many threads."""
        torch.set_num_threads(count)

    def describe(self):
        """Name and version."""
        return f"PyTorch {torch.__version__}"

    def build(self, product, rows, c_in, c_out):
        """Make the two factors, as tensors."""
        super().build(product, rows, c_in, c_out)
        self.x, self.y = (torch.from_numpy(factor).to(self.dtype) for factor in (self.a, self.b))

    def factors(self):
        """The factors after rounding."""
        return self.x.float().numpy(), self.y.float().numpy()

    def once(self):
        """The product."""
        return {"x W^T": lambda: self.x @ self.y.T, "dy W": lambda: self.x @ self.y,
                "dy^T x": lambda: self.x.T @ self.y}[self.product]()

    def result(self):
        """The product as a NumPy array."""
        return self.once().float().numpy()


class BFloat16(Float32):
    """The same in bfloat16, the results rounded to it too."""
    dtype, tolerance = torch.bfloat16, 0.03
