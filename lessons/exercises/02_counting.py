"""Exercise of lesson 02. Check it with:  minillm lesson 02 --check"""

import numpy as np

HINTS = (
    "Begin with a (V, V) table that holds `extra` everywhere, count into it, and divide each row by its sum.",
    "The pairs are (ids[:-1], ids[1:]). `counts[a, b] += 1` with index arrays counts a repeated pair once; np.add.at counts it "
    "as often as it comes.",
    "np.add.at(counts, (ids[:-1], ids[1:]), 1), then counts / counts.sum(axis=1, keepdims=True).",
)


def bigram_probs(ids, vocab_size, extra):
    """Probability of each next token after each token, from counts.

        p(b | a) = (c_ab + extra) / sum_b' (c_ab' + extra),     c_ab: how often b comes right after a

    Shapes:  ids (N,) int -> (V, V), each row sums to 1
    """
    raise NotImplementedError
