"""Worked answers of lesson 11."""

import numpy as np
import pytest

from minillm.world.corpus import KINDS, write_corpus
from minillm.world.facts import make_world
from minillm.world.probes import make_probes


def test_exercise_1():
    """sqrt(p (1 - p) / n) = sqrt(0.25 * 0.75 / 96) = 0.044, so 0.25 + 2 * 0.044 = 0.34, if the items were independent.

    They are not: in a group of four, each ending is right once. A model that ignores the context is right in exactly one of
    them, so in exactly 1/4 of all items, without any spread. What spreads is a model that reads the context and learns nothing
    from it; and since items share words, even for that one the binomial is only a rough guide. Seeds are a better one.
    """
    assert round(0.25 + 2 * np.sqrt(0.25 * 0.75 / 96), 2) == 0.34
    favourites = np.random.default_rng(0).integers(0, 4, (1000, 24))        # any ending, for each of the 24 groups
    right = (favourites[:, :, None] == np.arange(4)).reshape(1000, 96)      # item j of a group: ending j is right
    assert (right.mean(axis=1) == 0.25).all()


def test_exercise_2():
    """It gives every item of a group the same ending, which is right for exactly one of them. A counter of pairs of words
    gives each item of the other kind its own ending: the one whose article it has seen before that letter.
    """
    items = make_probes(make_world(0))["common_sense"][:4]
    endings = sorted(items[0].endings)
    assert all(sorted(item.endings) == endings for item in items)
    favourite = endings[2]
    assert sum(item.endings[0] == favourite for item in items) == 1

    drawn = [item for item in make_probes(make_world(0))["grammar"] if item.context.endswith(" drew")]

    def fits(ending):
        article, noun = ending.split()
        return (article == "an") == (noun[0] in "aeiou")
    assert len(drawn) == 18 and all(fits(item.endings[0]) and not fits(item.endings[1]) for item in drawn)
    assert np.mean([item.endings[0].startswith(" an ") for item in drawn]) == 0.5      # the same article always: chance


def test_exercise_3():
    """Encyclopedia, forum and news. Stories and code have no date in them."""
    world = make_world(0)
    texts = {kind: " ".join(document.text for document in write_corpus(world, 0.3, kinds=[kind])) for kind in KINDS}
    telling = {kind for kind, text in texts.items() if any(event.past in text for event in world.events)}
    assert telling == {"encyclopedia", "forum", "news"}
    assert not any(str(year) in texts[kind] for kind in ("stories", "code") for year in range(2018, 2025))


# Exercise 4, the function to write.
def ending_logprob(logits, tokens, start):
    """Row t - 1 of the logits judges token t."""
    z = logits[start - 1:-1] - logits[start - 1:-1].max(axis=1, keepdims=True)      # (T - start, V)
    logp = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return logp[np.arange(len(tokens) - start), tokens[start:]].sum()


def check_ending_logprob(function):
    """Asserts on three tokens that can be followed by hand, on large logits, and on random ones."""
    p = np.array([[0.5, 0.25, 0.25], [0.1, 0.7, 0.2], [0.3, 0.3, 0.4]])
    tokens = np.array([2, 0, 1])
    got = function(np.log(p), tokens, 1)
    assert np.isclose(got, np.log(0.5 * 0.7)), f"after [2], the ending [0, 1]: expected log(0.5 * 0.7) = -1.05, got {got}"
    got = function(np.log(p), tokens, 2)
    assert np.isclose(got, np.log(0.7)), f"after [2, 0], the ending [1]: expected log 0.7 = -0.36, got {got}"
    with np.errstate(over="ignore", invalid="ignore"):
        got = function(np.log(p) + 1000, tokens, 1)
    assert np.isclose(got, np.log(0.35)), f"with 1000 added to every logit: expected -1.05 as before, got {got}"
    rng = np.random.default_rng(0)
    logits, tokens = rng.standard_normal((7, 5)), rng.integers(0, 5, 7)
    wanted = sum(np.log(np.exp(logits[t - 1, tokens[t]]) / np.exp(logits[t - 1]).sum()) for t in range(3, 7))
    got = function(logits, tokens, 3)
    assert np.isclose(got, wanted), f"random logits, the ending from place 3 on: expected {wanted:.3f}, got {got}"


def test_exercise_4():
    """The solution passes. Reading the token's own row, and a softmax that overflows, do not."""
    check_ending_logprob(ending_logprob)

    def own_row(logits, tokens, start):
        logp = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        return logp[np.arange(start, len(tokens)), tokens[start:]].sum()

    def overflows(logits, tokens, start):
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        return np.log(p[np.arange(start, len(tokens)) - 1, tokens[start:]]).sum()
    for wrong in (own_row, overflows):
        with pytest.raises(AssertionError, match="expected"):
            check_ending_logprob(wrong)


def test_exercise_5():
    """First, the blank lines. A twenty-fifth of the text is now something that the model never saw before, and its words are
    missing too, so it may be the change and not the loss of news that costs. The arm: blank lines in the place of as many
    bytes of a text that tells few facts, code for instance. Second, chance: five probes were looked at and one is told. With
    five comparisons of nothing with nothing, one or more is "significant" in about a fifth of all such experiments. The arm:
    fresh seeds, and facts alone.
    """
    rng = np.random.default_rng(0)          # five comparisons over five seeds, many times
    differences = rng.standard_normal((5000, 5, 5))
    t = differences.mean(axis=2) / (differences.std(axis=2, ddof=1) / np.sqrt(5))
    assert 0.18 < (np.abs(t) > 2.776).any(axis=1).mean() < 0.27        # 1 - 0.95^5 = 0.23
