"""The likeliest next words: tokens are put together until a word ends, the likeliest beginning first."""

import heapq

import numpy as np

from minillm.model.transformer import head_forward, transformer_forward
from minillm.text.batches import pad_batch

LONGEST = 24        # tokens in a word
ROWS = 32           # beginnings that are read at once
LEAST = 1e-7        # probability of a beginning that is followed


def is_word_byte(byte):
    """Whether one byte is of a word: an ASCII letter or digit, or part of a character beyond ASCII."""
    return byte >= b"\x80" or byte.isalnum()


def continuations(spelled):
    """Which tokens go on with a word that is a blank so far, and with one that ends in a letter or digit.

    A word is a run of letters and digits with the blank before it; 't and 's belong to it. Punctuation,
    a line end and the end of the text (spelled b"") stand alone.
    Shapes:  V tokens as bytes -> (V,) bool, (V,) bool
    """
    after_blank = np.array([token[:1] not in (b"", b" ", b"\n") for token in spelled])
    heads = [token[1:2] if token[:1] == b"'" else token[:1] for token in spelled]
    in_word = np.array([is_word_byte(head or b" ") for head in heads])
    return after_blank, in_word


def spellings(tokenizer):
    """The bytes of every token; of control tokens, none."""
    return [b"" if i <= tokenizer.assistant_id else token for i, token in enumerate(tokenizer.tokens)]


def next_probs(model, rows):
    """Probabilities of the next token behind each row.  Shapes:  list of (T_i,) -> (N, V) float64"""
    batch = pad_batch(rows, "right", model.tokenizer.pad_id)
    h, _ = transformer_forward(batch.tokens, model.params, model.config, batch.first, recompute=True)
    last = np.array([len(row) - 1 for row in rows])
    h = np.ascontiguousarray(h[np.arange(len(rows)), last])                     # (N, C)
    logits = head_forward(h, model.params)[0].astype(np.float64)
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def next_words(model, text, count=10, most_batches=64):
    """The likeliest next words of a text, with their probabilities.

        p(word) = sum over its spellings in tokens of  prod_i p(token_i) * p(a token that ends it)

    Best first: a beginning is at least as likely as every word that it begins, so when `count` words are
    likelier than the likeliest beginning left, they are the likeliest of all.
    Returns [(word's bytes, probability)], likeliest first; b"" is the end of the text.
    Raises:  ValueError for a text that fills the context.
    """
    tokenizer, limit = model.tokenizer, model.config.context
    prompt = np.concatenate([[tokenizer.begin_id], tokenizer.encode(text.rstrip(" "))]).astype(np.int32)
    if len(prompt) >= limit:
        raise ValueError(f"the text has {len(prompt)} tokens; at most {limit - 1} fit in the context of "
                         f"{limit} with one more behind them; give its last part alone")
    spelled = spellings(tokenizer)
    kinds = continuations(spelled)
    words, beginnings = {}, [(-1.0, ())]                # heap of (-probability, tokens so far)
    for _ in range(most_batches):
        likely = heapq.nlargest(count, words.values())
        if not beginnings or (len(likely) == count and likely[-1] >= -beginnings[0][0]):
            break
        taken = [heapq.heappop(beginnings) for _ in range(min(ROWS, len(beginnings)))]
        rows = [np.concatenate([prompt, np.array(tokens, np.int32)]) for _, tokens in taken]
        probs = next_probs(model, rows)
        for (negative, tokens), row in zip(taken, probs):
            full = len(tokens) >= min(LONGEST, limit - len(prompt))
            longer = may_follow(tokens, spelled, kinds) & (not full)
            extend(words, beginnings, -negative, tokens, row, spelled, longer)
    return sorted(words.items(), key=lambda item: (-item[1], item[0]))[:count]


def extend(words, beginnings, probability, tokens, row, spelled, longer):
    """Split a beginning's probability: what ends it now goes to its word, the rest to longer beginnings."""
    if tokens:
        word = b"".join(spelled[i] for i in tokens)
        words[word] = words.get(word, 0.0) + probability * float(row[~longer].sum())
    for i in np.flatnonzero(longer & (probability * row > LEAST)):
        p = probability * float(row[i])
        if tokens or may_go_on(spelled[i]):
            heapq.heappush(beginnings, (-p, (*tokens, int(i))))
        else:                                           # punctuation and the like ends with its token
            words[spelled[i]] = words.get(spelled[i], 0.0) + p


def may_follow(tokens, spelled, kinds):
    """Which tokens can follow in the same word.  Shapes:  -> (V,) bool"""
    if not tokens:
        return np.ones(len(spelled), bool)
    after_blank, in_word = kinds
    letters = b"".join(spelled[i] for i in tokens).lstrip(b" ")
    if not letters:
        return after_blank
    return in_word if is_word_byte(letters[-1:]) else np.zeros(len(spelled), bool)


def may_go_on(token):
    """Whether a first token can be the beginning of something longer."""
    letters = token.lstrip(b" ")
    return token != b"" and (letters == b"" or is_word_byte(letters[-1:]))


def shown(word, text):
    """A word as the bars show it: blanks and ends made visible, the rest of a begun word behind dots."""
    if word == b"":
        return "(end)"
    spelled = word.decode("utf-8", "replace")
    begun = bool(text) and text[-1:].isalnum() and spelled[:1].isalnum()
    spelled = spelled if spelled.strip(" ") == "" else spelled.strip(" ")
    visible = "".join(c if c.isprintable() else repr(c)[1:-1] for c in spelled)
    return ("..." if begun else "") + (visible if visible.strip() else repr(visible))
