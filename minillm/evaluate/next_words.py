"""Find the likeliest next words of a text by a best-first search over tokens.

A word may have several tokens, so the search extends the likeliest beginning of a word until the
word ends.
"""

import heapq

import numpy as np

from minillm.layers.rows import last_of_each
from minillm.model.finite import require_logits
from minillm.model.transformer import head_forward, transformer_forward
from minillm.text.batches import pad_batch

LONGEST = 24        # tokens; a longer word is taken to end here
ROWS = 32           # beginnings in one forward pass
LEAST = 1e-7        # probability; less likely beginnings are dropped


def is_word_byte(byte):
    """Whether a byte belongs to a word: ASCII letter or digit, or part of a non-ASCII character."""
    return byte >= b"\x80" or byte.isalnum()


def continuations(spelled):
    """Which tokens can continue a word that so far is (a space alone, ending in a letter or digit).

    A word is a run of letters and digits with the space before it; 't and 's belong to it.
    Punctuation, a line end and the end of the text (spelled b"") are words of one token.

    Shapes:  V tokens as bytes -> after_blank (V,) bool, in_word (V,) bool
    """
    after_blank = np.array([token[:1] not in (b"", b" ", b"\n") for token in spelled])
    heads = [token[1:2] if token[:1] == b"'" else token[:1] for token in spelled]
    in_word = np.array([is_word_byte(head or b" ") for head in heads])
    return after_blank, in_word


def next_probs(model, rows):
    """Probabilities of the token after each row.

    Shapes:  list of N rows (T_i,) -> (N, V) float64
    """
    batch = pad_batch(rows, "right", model.tokenizer.pad_id)
    last = last_of_each(np.array([len(row) - 1 for row in rows]), batch.tokens.shape[1])
    h, _ = transformer_forward(batch.tokens, model.params, model.config, batch.positions,
                               batch.visible_from, recompute=True, wanted=last)     # (N, C)
    logits = head_forward(h, model.params)[0].astype(np.float64)
    require_logits(logits)
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def next_words(model, text, count=10, most_batches=64):
    """The likeliest next words of a text, with their probabilities.

        p(word) = sum over its spellings in tokens of  prod_i p(token_i) * p(a token that ends it)

    Best-first search: no word is likelier than its beginning. So once `count` words are at least as
    likely as every beginning left, no other word can overtake them. The search also stops after
    `most_batches` forward passes, with the words found so far.

    text: a text, or a row of tokens to continue (T,).
    Returns [(word's bytes, probability)], likeliest first; b"" is the end of the text.
    Raises:  ValueError for a text that fills the context; FloatingPointError if the model's logits
             are not finite.
    """
    limit = model.config.context
    prompt = model.prompt_ids(text) if isinstance(text, str) else text
    if len(prompt) >= limit:
        raise ValueError(f"the text has {len(prompt)} tokens; at most {limit - 1} fit in the "
                         f"context of {limit} with one more behind them; give its last part alone")
    spelled = model.tokenizer.spoken
    kinds = continuations(spelled)
    words = {}                                          # bytes of a word: its probability so far
    beginnings = [(-1.0, ())]                           # heap of (-probability, tokens so far)
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
    """Divide a beginning's probability between its word and longer beginnings.

    The probability that the next token ends the word is added to `words`. The rest goes to longer
    beginnings on the heap.

    Shapes:  row (V,) next-token probabilities, longer (V,) bool: tokens that continue the word
    """
    if tokens:
        word = b"".join(spelled[i] for i in tokens)
        words[word] = words.get(word, 0.0) + probability * float(row[~longer].sum())
    for i in np.flatnonzero(longer & (probability * row > LEAST)):
        p = probability * float(row[i])
        if tokens or may_go_on(spelled[i]):
            heapq.heappush(beginnings, (-p, (*tokens, int(i))))
        else:                                           # a word of one token, such as punctuation
            words[spelled[i]] = words.get(spelled[i], 0.0) + p


def may_follow(tokens, spelled, kinds):
    """Which tokens can continue a word that begins with `tokens`.  Shapes:  -> (V,) bool"""
    if not tokens:
        return np.ones(len(spelled), bool)
    after_blank, in_word = kinds
    letters = b"".join(spelled[i] for i in tokens).lstrip(b" ")
    if not letters:
        return after_blank
    return in_word if is_word_byte(letters[-1:]) else np.zeros(len(spelled), bool)


def may_go_on(token):
    """Whether a word that begins with this token can have more tokens."""
    letters = token.lstrip(b" ")
    return token != b"" and (letters == b"" or is_word_byte(letters[-1:]))


def shown(word, text):
    """A word in the form that the bars show, with blanks and line ends made visible.

    If `text` ends inside the word, the word's rest comes after "...".
    """
    if word == b"":
        return "(end)"
    spelled = word.decode("utf-8", "replace")
    begun = bool(text) and text[-1:].isalnum() and spelled[:1].isalnum()
    spelled = spelled if spelled.strip(" ") == "" else spelled.strip(" ")
    visible = "".join(c if c.isprintable() else repr(c)[1:-1] for c in spelled)
    return ("..." if begun else "") + (visible if visible.strip() else repr(visible))
