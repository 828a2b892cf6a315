"""A model to hold in the hand: parameters, configuration and tokenizer, and what one does with them."""

from typing import NamedTuple

import numpy as np

from minillm import tree
from minillm.losses.next_token import next_token_backward, next_token_forward
from minillm.model.decoding import generate_tokens
from minillm.model.transformer import (causal, head_backward, head_forward, transformer_backward, transformer_forward)


class Prediction(NamedTuple):
    """The model's guess at the next token, and what it takes to learn from the outcome."""
    probs: np.ndarray       # (V,)
    h: np.ndarray           # (1, T, C) the vectors that the guess was read from
    logits: np.ndarray      # (1, V)
    body: tuple             # cache of the transformer
    head: tuple             # cache of the head


class Adjustment(NamedTuple):
    """What one token taught."""
    loss: float             # nats
    grads: dict             # keys of the parameters


class LanguageModel:
    """A transformer with its tokenizer.

        model = minillm.load("runs/first")
        prediction = model.predict_next(model.tokenizer.encode("The cat sat on the"))
        model.adjust_weights(prediction, model.tokenizer.encode(" mat")[0])
    """

    def __init__(self, params, config, tokenizer):
        if config.vocab_size != tokenizer.vocab_size:
            raise ValueError(f"the model knows {config.vocab_size} tokens, the tokenizer {tokenizer.vocab_size}; "
                             "they are not from one run")
        self.params, self.config, self.tokenizer = params, config, tokenizer

    def logits(self, tokens):
        """Scores of every next token after each prefix.  Shapes:  tokens (T,) -> (T, V)

        Raises:  ValueError where the tokens are none, outside the vocabulary, or longer than the context.
        """
        tokens = self._row(tokens)
        h, _ = transformer_forward(tokens, self.params, self.config, causal(tokens))
        return head_forward(h[0], self.params)[0]

    def predict_next(self, context):
        """Guess the token after `context`.  Shapes:  context (T,) -> Prediction with probs (V,)"""
        tokens = self._row(context)
        h, body = transformer_forward(tokens, self.params, self.config, causal(tokens))
        logits, head = head_forward(np.ascontiguousarray(h[:, -1]), self.params)        # (1, V)
        weights = np.exp(logits[0] - logits.max())
        return Prediction(weights / weights.sum(), h, logits, body, head)

    def adjust_weights(self, prediction, next_token, lr=0.01):
        """Compare a guess with the token that came, and step against the gradient:  w = w - lr dloss/dw.

        The loss is -log p(next_token). lr = 0 leaves the weights as they are and returns the gradient.
        """
        target = np.array([next_token], np.int32)
        loss, cache = next_token_forward(prediction.logits.copy(), target, np.ones(1))
        dh_last, d_head = head_backward(next_token_backward(1.0, cache), prediction.head)
        dh = np.zeros_like(prediction.h)
        dh[:, -1] = dh_last
        grads = transformer_backward(dh, prediction.body, d_head)

        def step(param, grad):
            param -= param.dtype.type(lr) * grad
        tree.tree_map(step, self.params, grads)
        return Adjustment(float(loss), grads)

    def generate(self, prompt, *, max_new_tokens=64, temperature=0.8, top_k=0, top_p=1.0, seed=0):
        """Continue a text, or each of a list of texts.  Returns the continuation(s) as text.

        Raises:  ValueError for a prompt that fills the context, or sampling settings out of range.
        """
        texts = [prompt] if isinstance(prompt, str) else list(prompt)
        begin = np.array([self.tokenizer.begin_id], np.int32)
        prompts = [np.concatenate([begin, self.tokenizer.encode(text)]) for text in texts]
        new = self._continue(prompts, np.random.default_rng(seed), max_new_tokens, temperature, top_k, top_p)
        out = [self.tokenizer.decode(tokens) for tokens in new]
        return out[0] if isinstance(prompt, str) else out

    def chat(self, messages, *, max_new_tokens=64, temperature=0.0, top_k=0, top_p=1.0, seed=0):
        """Answer a conversation: [{"role": "user", "content": "..."}, ...].  Returns the assistant's text.

        A list of conversations gives a list of answers. Temperature 0 takes the likeliest token each time.
        """
        many = bool(messages) and not isinstance(messages[0], dict)
        conversations = messages if many else [messages]
        texts, _ = self.answer(conversations, np.random.default_rng(seed), max_new_tokens=max_new_tokens,
                               temperature=temperature, top_k=top_k, top_p=top_p)
        return texts if many else texts[0]

    def answer(self, conversations, rng, *, max_new_tokens, temperature, top_k=0, top_p=1.0):
        """Answer many conversations.  Returns their texts, and for each whether it ended by itself: bool (N,)"""
        asked = [self.tokenizer.encode_chat(messages, ask=True) for messages in conversations]
        tokens = self._continue(asked, rng, max_new_tokens, temperature, top_k, top_p)
        ended = np.array([new[-1] == self.tokenizer.end_id for new in tokens], bool)
        return [self.tokenizer.decode(new) for new in tokens], ended

    def _continue(self, prompts, rng, max_new_tokens, temperature, top_k, top_p, rows=256):
        """New tokens behind each prompt, in batches of prompts of about one length, which pad least."""
        order, new = np.argsort([len(prompt) for prompt in prompts], kind="stable"), [None] * len(prompts)
        for start in range(0, len(order), rows):
            chosen = order[start:start + rows]
            out = generate_tokens(self.params, self.config, [prompts[i] for i in chosen], rng,
                                  end_id=self.tokenizer.end_id, pad_id=self.tokenizer.pad_id,
                                  max_new_tokens=max_new_tokens, temperature=temperature, top_k=top_k, top_p=top_p)
            for i, tokens in zip(chosen, out):
                new[i] = tokens
        return new

    def _row(self, tokens):
        row = np.asarray(tokens, dtype=np.int32)[None]
        if row.ndim != 2 or row.size == 0:
            raise ValueError(f"tokens have shape {row.shape[1:]}; a list of one or more token ids is needed")
        return row
