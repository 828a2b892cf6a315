"""Gradient of an embedding table: each row of dy is added to the row of its id (scatter-add)."""

import numpy as np

from minillm.kernels.twin import twin


def embedding_backward_plain(dy, ids, into):
    """into[v] += sum of dy[n] over the n with ids[n] = v, added in the order of n.

    Shapes:  dy (N, C), ids (N,) int32 < V, into (V, C) -> into
    """
    np.add.at(into, ids, dy)
    return into


@twin(plain=embedding_backward_plain)
def embedding_backward(dy, ids, into):
    N, C = dy.shape
    for n in range(N):  # on one thread: several rows may have the same id
        row = into[ids[n]]
        for c in range(C):
            row[c] += dy[n, c]
    return into
