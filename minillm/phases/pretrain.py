"""Phase 1, pretraining: predict the next token of documents of many kinds, and nothing else."""

from dataclasses import replace

import numpy as np

from minillm.evaluate.likelihood import bits_per_byte, stream_loss
from minillm.model.language_model import LanguageModel
from minillm.model.transformer import transformer_init
from minillm.text.batches import micro_batches, window_batch
from minillm.train.objectives import next_token


def new_model(config, tokenizer, seed):
    """A model that knows nothing yet: its first loss is about ln V."""
    if config.vocab_size not in (0, tokenizer.vocab_size):
        raise ValueError(f"model.vocab_size is {config.vocab_size}, the tokenizer has {tokenizer.vocab_size} tokens; "
                         "leave it at 0 to take the tokenizer's")
    config = replace(config, vocab_size=tokenizer.vocab_size)
    return LanguageModel(transformer_init(config, np.random.default_rng(seed)), config, tokenizer)


def pretrain(model, stream, validation, settings, seed, journal):
    """Fit the model to a token stream:  minimize -log p(token | the tokens before it), averaged.

    The first steps read short windows, as many tokens in all: with fewer places to look at, attention finds
    the right ones sooner.
    stream, validation: (N,) token ids; the model is changed in place.
    Source:  Press et al. 2020, arXiv:2012.15832, section 4 (short windows first).
    """
    def batch_at(step, _):
        rows, length = settings.rows, model.config.context
        if step < settings.short_steps and length > settings.short_context:
            rows, length = rows * length // settings.short_context, settings.short_context
        batch = window_batch(stream, step, rows, length, seed, model.tokenizer.begin_id)
        return micro_batches(batch, settings.micro_batches)

    def look(step):
        loss, _ = stream_loss(model, validation[:20_000])
        sample = model.generate("", max_new_tokens=40, temperature=0.8, seed=step)
        return {"validation_loss": loss, "sample": f"step {step + 1}: {sample!r}"}

    journal.looking(look, settings.validation_every)
    journal.fit(model, settings, batch_at, next_token(model.config, settings.recompute))


def validate(model, validation, text_bytes):
    """The validation loss in nats a token, and in bits a byte of the text behind it."""
    loss, tokens = stream_loss(model, validation)
    return {"val_loss": loss, "val_bits_per_byte": bits_per_byte(loss * tokens, text_bytes)}
