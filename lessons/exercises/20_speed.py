"""Exercise of lesson 20. Check it with:  minillm lesson 20 --check"""

import numpy as np


def tiled_product(a, b, rows, columns):
    """C = A B, one tile of C after the other. Each step of k adds a column of A times a row of B to the whole tile.

        tile_ij += a_ik b_kj    for all i and j of the tile, k = 0, 1, ..., K - 1

    A tile has rows x columns numbers, and fewer at the edges of C. Do not use @, np.dot or np.matmul.
    Shapes:  a (M, K), b (K, N) -> c (M, N)
    """
    raise NotImplementedError






























# hints, shown one at a time by --check
HINTS = (
    "Two outer loops go through the tiles of C: range(0, M, rows) and range(0, N, columns). One inner loop runs over k.",
    "A slice that reaches beyond the end is cut off by itself, so a tile at an edge needs no special case: take its shape from "
    "the slice of c.",
    "tile = np.zeros_like(c[i:i + rows, j:j + columns]); for each k: tile += np.outer(a[i:i + rows, k], b[k, j:j + columns]).",
)
