"""Phase 1, pretraining: predict the next token of documents of many kinds."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from minillm.config import OptimizerConfig, knob
from minillm.evaluate.likelihood import bits_per_byte, stream_loss
from minillm.model.language_model import LanguageModel
from minillm.model.transformer import transformer_init
from minillm.objectives.next_token import next_token_objective
from minillm.text.batches import micro_batches, window_batch
from minillm.training.trainer import fit

LOOKED_AT = 20_000      # tokens of the validation text that are measured during training


@dataclass(frozen=True)
class PretrainConfig(OptimizerConfig):
    """Phase 1: predict the next token."""
    steps: int = knob(1150, "optimizer steps", within="[1, inf)")
    lr: float = knob(6e-3, "peak learning rate", within="(0, inf)")
    warmup_share: float = knob(0.035, "linear warm-up, as a share of the steps", within="[0, 1]")
    short_share: float = knob(0.348, "share of the steps, the first ones, that read short windows, "
                                     "in which attention learns sooner", within="[0, 1]")
    short_context: int = knob(32, "tokens in a short window; tokens per step stay the same",
                              within="[1, inf)")
    megabytes: float = knob(2.5, "size of the embedded world's text, if no --data is given",
                            within="[0.01, inf)")
    validation_every: int = knob(200, "steps between measuring the validation loss and a sample",
                                 within="[1, inf)")

    @property
    def short_steps(self):
        """Number of first steps that read short windows."""
        return round(self.short_share * self.steps)


def new_model(config, tokenizer, seed):
    """A model with random initial weights: its initial loss is about ln V."""
    if config.vocab_size not in (0, tokenizer.vocab_size):
        raise ValueError(f"model.vocab_size is {config.vocab_size}, the tokenizer has "
                         f"{tokenizer.vocab_size} tokens; leave it at 0 to take the tokenizer's")
    config = replace(config, vocab_size=tokenizer.vocab_size)
    return LanguageModel(transformer_init(config, np.random.default_rng(seed)), config, tokenizer)


def pretrain(model, stream, validation, settings, seed, recorder):
    """Fit the model to a token stream:  minimize -log p(token | the tokens before it), averaged.

    The first steps read short windows, with the same number of tokens in total: a query has fewer
    keys to choose from, so attention learns sooner which ones matter.
    stream, validation: (N,) token ids; the model is changed in place. Without validation nothing
    is measured.
    Source:  Press et al. 2020, arXiv:2012.15832, section 4 (short windows first).
    """
    def batch_at(step):
        rows, length = settings.rows, model.config.context
        if step < settings.short_steps and length > settings.short_context:
            rows, length = rows * length // settings.short_context, settings.short_context
        batch = window_batch(stream, step, rows, length, seed, model.tokenizer.begin_id)
        return micro_batches(batch, settings.micro_batches)

    def evaluate(step):
        return {"validation_loss": stream_loss(model, validation[:LOOKED_AT])[0]}

    def sample(step):
        return model.generate("", max_new_tokens=40, temperature=0.8, seed=step)

    objective = partial(next_token_objective, config=model.config, recompute=settings.recompute,
                        precision=settings.precision)
    fit(model, settings, batch_at, objective, recorder,
        evaluate=evaluate if len(validation) else None, sample=sample,
        every=settings.validation_every)


def validate(model, validation, text_bytes):
    """The validation loss in nats per token, and in bits per byte of the text."""
    loss, tokens = stream_loss(model, validation)
    return {"val_loss": loss, "val_bits_per_byte": bits_per_byte(loss * tokens, text_bytes)}
