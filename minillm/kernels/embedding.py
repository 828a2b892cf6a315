"""Gradient of an embedding table: rows of dy are added up where their ids point."""

import numpy as np

from minillm.kernels.twin import twin


def embedding_backward_plain(dy, ids, vocab_size):
    """dweight[v] = sum of dy[n] over the n with ids[n] = v, added in the order of n.

    Shapes:  dy (N, C), ids (N,) int32 < V, vocab_size int -> dweight (V, C)
    """
    dweight = np.zeros((vocab_size, dy.shape[1]), dtype=dy.dtype)
    np.add.at(dweight, ids, dy)
    return dweight


@twin(plain=embedding_backward_plain)
def embedding_backward(dy, ids, vocab_size):
    N, C = dy.shape
    dweight = np.zeros((vocab_size, C), dtype=dy.dtype)
    for n in range(N):  # one thread: two rows may have one id
        row = dweight[ids[n]]
        for c in range(C):
            row[c] += dy[n, c]
    return dweight
