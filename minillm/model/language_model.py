"""LanguageModel: parameters, configuration and tokenizer, with methods to predict and to learn."""

import codecs
from typing import NamedTuple

import numpy as np

from minillm import tree
from minillm.config import require
from minillm.layers.linear import LinearCache
from minillm.layers.rows import gather, scatter
from minillm.losses.next_token import next_token_backward, next_token_forward
from minillm.model.at_once import rows_answered
from minillm.model.decoding import check_prompts, draw_tokens, generate_tokens
from minillm.model.finite import require_logits
from minillm.model.quantized import is_int8, quantized
from minillm.model.sampling import check_settings
from minillm.model.saving import save_model
from minillm.model.transformer import (TransformerCache, head_backward, head_forward, one_document,
                                       transformer_backward, transformer_forward)


class Prediction(NamedTuple):
    """The model's prediction of the next token, and what adjust_weights needs to learn from it."""
    probs: np.ndarray           # (V,)
    h: np.ndarray               # (1, T, C) one vector per token; the last one predicts
    logits: np.ndarray          # (1, V)
    body: TransformerCache
    head: LinearCache

    def __repr__(self):
        likely = np.argsort(-self.probs, kind="stable")[:5]
        listed = ", ".join(f"{token}: {self.probs[token]:.3f}" for token in likely)
        return f"Prediction over {len(self.probs):,} tokens, likeliest ids {{{listed}}}"


class Adjustment(NamedTuple):
    """The loss and the gradients of one prediction."""
    loss: float                 # nats
    grads: dict                 # with the keys of the parameters

    def __repr__(self):
        return f"Adjustment(loss {self.loss:.4f} nats, {tree.count(self.grads):,} gradients)"


class LanguageModel:
    """A transformer with its tokenizer.

        model = minillm.load("runs/first")
        prediction = model.predict_next(model.tokenizer.encode("The cat sat on the"))
        model.adjust_weights(prediction, model.tokenizer.encode(" mat")[0])
    """

    def __init__(self, params, config, tokenizer):
        if config.vocab_size != tokenizer.vocab_size:
            raise ValueError(f"the model's vocabulary has {config.vocab_size} tokens, the "
                             f"tokenizer's {tokenizer.vocab_size}; they are not from the same run")
        self.params, self.config, self.tokenizer = params, config, tokenizer

    def __repr__(self):
        config = self.config
        kind = "int8 parameters" if is_int8(self.params) else "parameters"
        return (f"LanguageModel: {tree.count(self.params):,} {kind} in {config.layers} blocks of "
                f"width {config.width} ({config.norm}, {config.position}, {config.activation})\n"
                f"  context {config.context} tokens, heads {config.heads} for queries and "
                f"{config.kv_heads} for keys and values\n  {self.tokenizer!r}")

    def logits(self, tokens):
        """Scores of every next token after each prefix.  Shapes:  tokens (T,) -> (T, V)

        Raises:  ValueError if there is no token, one outside the vocabulary, or more tokens than
                 the context has.
        """
        tokens = self._row(tokens)
        h, _ = transformer_forward(tokens, self.params, self.config, *one_document(tokens))
        return head_forward(h[0], self.params)[0]

    def predict_next(self, context):
        """Guess the token after `context`.  Shapes:  context (T,) -> Prediction with probs (V,)"""
        tokens = self._row(context)
        h, body = transformer_forward(tokens, self.params, self.config, *one_document(tokens))
        last = np.array([tokens.size - 1])
        logits, head = head_forward(gather(h, last), self.params)           # (1, V)
        require_logits(logits)
        weights = np.exp(logits[0] - logits.max())
        return Prediction(weights / weights.sum(), h, logits, body, head)

    def adjust_weights(self, prediction, next_token, lr=0.01):
        """Compare a prediction with the actual next token, and step against the gradient:

            w = w - lr dloss/dw,     loss = -log p(next_token)

        lr = 0 leaves the weights as they are and returns the gradient.
        Raises:  ValueError for what is not one token id, or an lr that is not finite.
        """
        if not np.isfinite(lr):
            raise ValueError(f"lr is {lr}; it must be a finite number")
        target = self._row([next_token])[0]
        loss, cache = next_token_forward(prediction.logits.copy(), target, np.ones(1))
        dh_last, d_head = head_backward(next_token_backward(1.0, cache), prediction.head)
        last = np.array([prediction.h.shape[1] - 1])
        dh = scatter(dh_last, last, prediction.h.shape)
        grads = transformer_backward(dh, prediction.body, d_head)
        for _, param, grad in tree.zipped(self.params, grads):
            param -= param.dtype.type(lr) * grad
        return Adjustment(float(loss), grads)

    def generate(self, prompt, *, max_new_tokens=64, temperature=0.8, top_k=0, top_p=1.0, seed=0,
                 stream=False):
        """Continue a text, or each of a list of texts.  Returns the continuation(s) as text.

        A text's last spaces are read as part of its continuation (see prompt_ids), which is
        returned without them.
        stream: return an iterator over the pieces of one text's continuation, as they are drawn.
        Raises:  ValueError for a prompt that fills the context, or sampling settings out of range;
                 FloatingPointError if the model's logits are not finite.
        """
        sampling = dict(max_new_tokens=max_new_tokens, temperature=temperature, top_k=top_k,
                        top_p=top_p)
        one, rng = isinstance(prompt, str), np.random.default_rng(seed)
        if stream:
            require(one, "stream=True continues one text; for a list of texts, leave it out")
            return without_spaces_of(prompt, self.pieces(self.prompt_ids(prompt), rng, **sampling))
        texts = [prompt] if one else list(prompt)
        new = self._continue([self.prompt_ids(text) for text in texts], rng, **sampling)
        out = ["".join(without_spaces_of(text, [self.tokenizer.decode(tokens)]))
               for text, tokens in zip(texts, new)]
        return out[0] if one else out

    def prompt_ids(self, text):
        """The tokens that a text is continued from: the begin token, and the text without its last
        spaces. A word's token begins with the space before it, so in training no space stood alone.

        A vocabulary without begin token has none here either. An empty text then is what follows
        the end of another one.
        Shapes:  -> (T,) int32
        """
        ids, begin = self.tokenizer.encode(text.rstrip(" ")), self.tokenizer.begin_id
        if begin is None:
            return ids if len(ids) else np.array([self.tokenizer.end_id], np.int32)
        return np.concatenate([[begin], ids]).astype(np.int32)

    def chat(self, messages, *, max_new_tokens=64, temperature=0.0, top_k=0, top_p=1.0, seed=0,
             stream=False):
        """Answer a message, or a conversation: [{"role": "user", "content": "..."}, ...].

        A list of messages or conversations gives a list of answers. Temperature 0 takes the
        likeliest token each time.
        stream: return an iterator over the pieces of one answer, as they are drawn.
        """
        sampling = dict(max_new_tokens=max_new_tokens, temperature=temperature, top_k=top_k,
                        top_p=top_p)
        many = isinstance(messages, list) and bool(messages) and not isinstance(messages[0], dict)
        asked = [[{"role": "user", "content": talk}] if isinstance(talk, str) else talk
                 for talk in (messages if many else [messages])]
        rng = np.random.default_rng(seed)
        if stream:
            require(not many, "stream=True answers one conversation; for a list of them, "
                              "leave it out")
            return self.answer_pieces(self.tokenizer.encode_chat(asked[0], ask=True), rng,
                                      **sampling)
        texts, _ = self.answer(asked, rng, **sampling)
        return texts if many else texts[0]

    def answer(self, conversations, rng, **sampling):
        """Answer many conversations, with the keywords of generate_tokens.

        Returns the answers' texts, and whether each ended with its end token: bool (N,)
        """
        asked = [self.tokenizer.encode_chat(messages, ask=True) for messages in conversations]
        tokens = self._continue(asked, rng, **sampling)
        ended = np.array([new[-1] in self.tokenizer.end_ids for new in tokens], bool)
        return [self.tokenizer.decode_answer(new) for new in tokens], ended

    def pieces(self, prompt, rng, *, max_new_tokens, temperature=1.0, top_k=0, top_p=1.0):
        """An iterator over the text after a row of tokens, piece by piece, as it is drawn.

        Shapes:  prompt (T,)
        Raises:  ValueError as generate does, before the first piece.
        """
        check_prompts(self.config, [prompt], max_new_tokens)
        check_settings(temperature, top_k, top_p)
        drawn = draw_tokens(self.params, self.config, [prompt], rng, end_id=self.tokenizer.end_ids,
                            pad_id=self.tokenizer.pad_id, max_new_tokens=max_new_tokens,
                            temperature=temperature, top_k=top_k, top_p=top_p)
        return whole_characters(self.tokenizer.decode_bytes(token) for _, token in drawn)

    def answer_pieces(self, asked, rng, **sampling):
        """The same for a conversation's tokens that ask for an answer: the pieces of the answer."""
        return without_spaces_of(self.tokenizer.indent, self.pieces(asked, rng, **sampling))

    def quantized(self):
        """The model with int8 weights, for decoding: they take 8.5 bits in place of 32.

        Where the weights do not fit the processor's cache, tokens are made sooner, as memory is the
        limit. The logits differ a little, so near ties may be decided otherwise (quantized.py).
        This model stays as it is.
        """
        return LanguageModel(quantized(self.params), self.config, self.tokenizer)

    def save(self, folder):
        """Write the model to a folder, which minillm.load and transformers read.

        A model that was saved there before is replaced.
        Raises:  ValueError if the folder holds anything else, or for int8 weights;
                 FloatingPointError if a parameter is not finite; OSError. What was there before is
                 kept.
        """
        save_model(self, folder)

    def _continue(self, prompts, rng, rows=256, **sampling):
        """New tokens after each prompt; a batch holds prompts of similar length: little padding."""
        lengths = [len(prompt) for prompt in prompts]
        order = np.argsort(lengths, kind="stable")
        new = [None] * len(prompts)
        rows = rows_answered(self.config, rows, max(lengths, default=1),
                             sampling["max_new_tokens"])
        for start in range(0, len(order), rows):
            chosen = order[start:start + rows]
            out = generate_tokens(self.params, self.config, [prompts[i] for i in chosen], rng,
                                  end_id=self.tokenizer.end_ids, pad_id=self.tokenizer.pad_id,
                                  **sampling)
            for i, tokens in zip(chosen, out):
                new[i] = tokens
        return new

    def _row(self, tokens):
        row = np.asarray(tokens)[None]
        if row.ndim != 2 or row.size == 0 or not np.issubdtype(row.dtype, np.integer):
            raise ValueError(f"tokens are {row.dtype} of shape {row.shape[1:]}; "
                             "a list of one or more token ids is needed")
        largest = max(int(row.max()), -int(row.min()))
        if largest >= 2**31:            # int32 would make another id of it
            raise ValueError(f"token {largest} is outside any vocabulary")
        return row.astype(np.int32)


def without_spaces_of(text, pieces):
    """Yield a continuation without those of its first spaces that the text already ends with."""
    typed = len(text) - len(text.rstrip(" "))
    for piece in pieces:
        spaces = len(piece) - len(piece.lstrip(" "))
        kept = piece[min(typed, spaces):]
        typed = typed - spaces if spaces == len(piece) < typed else 0
        if kept:
            yield kept


def whole_characters(parts):
    """Yield the text of parts of UTF-8: a character waits for its last byte.

    Bytes that are no UTF-8 become U+FFFD.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for part in parts:
        if text := decoder.decode(part):
            yield text
    if rest := decoder.decode(b"", final=True):
        yield rest
