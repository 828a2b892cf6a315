"""Prepare texts for the report page, an attention map, and one example of the four steps."""

import math
import re

# code point: its replacement. An ASCII control character becomes a picture of it, from U+2400 on.
# Other control characters, U+FFFE and U+FFFF become U+FFFD.
CONTROL = {code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"}
CONTROL |= {0x7F: 0x2421, **{code: 0xFFFD for code in range(0x80, 0xA0)},
            0xFFFE: 0xFFFD, 0xFFFF: 0xFFFD}
# superscripts, for exponents
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
LOOKS = 4       # of an attention map, that are spelled out


def readable(text):
    """A text that every browser can show: control characters and surrogates are replaced."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace").translate(CONTROL)


def visible(token):
    """A token with its leading spaces, line breaks and tabs as visible characters."""
    shown = token.replace("\n", "⏎").replace("\t", "⇥")
    stripped = shown.lstrip(" ")
    return "␣" * (len(shown) - len(stripped)) + stripped or "(nothing)"


def breakable(name):
    """A dotted name as HTML that may be broken after its dots and underscores."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"([._])", r"\1<wbr>", str(escape(name))))


def map_view(attention):
    """An attention map for the template: a cell for each pair of tokens, and the strongest looks.

    Returns {"tokens", "cells", "looks": [(token, looked at, share)], ...}, or None without a map.
    """
    if attention is None:
        return None
    tokens = [token.strip(" ") or visible(token) for token in attention["tokens"]]
    cells = [{"query": t, "key": s, "weight": weight,
              "tip": f"{tokens[t]} looks at {tokens[s]}: {weight:.0%}"}
             for t, row in enumerate(attention["weights"]) for s, weight in enumerate(row)]
    further = [cell for cell in cells if 1 <= cell["key"] <= cell["query"] - 2]
    looks = [(tokens[cell["query"]], tokens[cell["key"]], cell["weight"]) for cell in
             sorted(further, key=lambda cell: -cell["weight"])[:LOOKS]]
    return {**attention, "tokens": tokens, "cells": cells, "looks": looks}


def one_example(steps):
    """The values that the template needs for the four steps of alignment on one prompt.

    Every response gets a letter. The lengths of bars are relative to the longest bar, at most 100.
    Returns None if there is no example.
    """
    if not steps:
        return None
    rows = zip(steps["responses"], steps["ranks"], steps["scores"])
    responses = [{"letter": chr(ord("A") + k), "text": text, "rank": rank, "score": score,
                  "moved": None} for k, (text, rank, score) in enumerate(rows)]
    low = min(steps["scores"])
    span = (max(steps["scores"]) - low) or 1.0
    for item in responses:
        item["bar"] = round(6 + 94 * (item["score"] - low) / span, 1)
    logprobs = steps["logprobs"]
    before, after = logprobs.get("finetuned", logprobs.get("base")), logprobs.get("aligned")
    if before and after:
        widest = max(abs(new - old) for old, new in zip(before, after)) or 1.0
        for item, old, new in zip(responses, before, after):
            item["moved"] = {"before": probability(old), "after": probability(new),
                             "factor": factor(new - old), "up": new >= old,
                             "bar": round(50 * abs(new - old) / widest, 1)}
    agreed, pairs = agreement(steps["ranks"], steps["scores"])
    return {"prompt": steps["prompt"], "responses": responses, "rater": steps["rater"],
            "by_rank": sorted(responses, key=lambda item: item["rank"]),
            "by_score": sorted(responses, key=lambda item: -item["score"]),
            "agreed": agreed, "pairs": pairs, "among": steps["among"],
            "held_out": steps["held_out"]}


def agreement(ranks, scores):
    """Return (number of pairs that the scores order like the ranks, pairs with unequal ranks)."""
    K = range(len(ranks))
    pairs = [(i, j) for i in K for j in K if ranks[i] < ranks[j]]
    return sum(scores[i] > scores[j] for i, j in pairs), len(pairs)


def probability(logprob):
    """The probability e^logprob in few characters: e^-2 is "14%", e^-30 is "9·10⁻¹⁴"."""
    if logprob > math.log(0.001):
        share = 100 * math.exp(logprob)
        return f"{share:.0f}%" if share >= 9.95 else f"{share:.2g}%"
    exponent = math.floor(logprob / math.log(10))
    leading = round(math.exp(logprob - exponent * math.log(10)))
    if leading == 10:
        leading, exponent = 1, exponent + 1
    return f"{leading}·10" + str(exponent).translate(RAISED)


def factor(difference):
    """The ratio of two probabilities, e^difference: "×3.40", or "÷2.00" if it is below 1."""
    sign, times = "×" if difference >= 0 else "÷", math.exp(min(abs(difference), 99))
    if times > 99_999:
        leading, exponent = f"{times:.0e}".split("e+")
        return f"{sign}{leading}·10" + str(int(exponent)).translate(RAISED)
    return sign + (f"{times:.2f}" if times < 9.995 else f"{times:,.0f}")
