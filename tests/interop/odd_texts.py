"""Odd strings, drawn by a seed: what tokenizers disagree about."""

import numpy as np

PARTS = [
    "a", "Z", "the", " The", "don't", "I'LL", "we'Ve", "'s", "'S", "'t", "''", "\u2019s", "'", "\"", "#", "...", "!?", "_", "-",
    " ", "  ", "     ", "\t", "\n", "\r", "\r\n", "\n\n", " \n ", "\v", "\f", "\x85", "\xa0", "\u2003", "\u3000", "\u2028", "\u200b",
    "0", "7", "12", "123", "4567", "3.14", "1,000", "\u0663\u0664\u0665", "\u0967\u0968", "\u00bd", "\u00b2", "\u2167", "\u96f6", "\uff11",
    "\U0001f600", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f3f3\ufe0f\u200d\U0001f308", "\U0001f1eb\U0001f1f7", "\u2764\ufe0f",
    "e\u0301", "\u0301", "\u0928\u0940", "\u0e44\u0e17\u0e22", "\u0639\u064e", "\u00e9", "\u00df", "\u0130", "\u017f", "'\u017f", "\u212a",
    "\u6f22\u5b57", "\u304b\u306a", "\ud55c\uad6d", "\u0440\u0443\u0441", "\u05d0", "\u1e9e", "\ufb01",
    "\x00", "\x01", "\x1b", "\x1c", "\x1f", "\x7f", "\x80", "\xad", "\ufeff", "\ufffd", "\U000e0041", "\U0010ffff", "\ue000",
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|begin_of_text|>", "<|eot_id|>", "<|", "|>", "<|im_start|>user\n",
    "{{ x }}", "def f(x):", "https://a.b/c?d=e", "<s>", "</s>", "[INST]", "\\n", "%",
]


def odd_texts(number=5000, seed=0):
    """Strings of up to 12 parts; every tenth has surrogates."""
    rng, texts = np.random.default_rng(seed), []
    for at in range(number):
        parts = [PARTS[i] for i in rng.integers(len(PARTS), size=rng.integers(0, 13))]
        if at % 10 == 0:
            parts.insert(rng.integers(len(parts) + 1), chr(rng.integers(0xD800, 0xE000)))
        if at % 7 == 0:
            parts.append(chr(rng.integers(0x20, 0x3000)) * rng.integers(1, 4))
        texts.append("".join(parts))
    return texts
