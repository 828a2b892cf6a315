"""Exercise of lesson 22 to be written: fill in, and run  minillm lesson 22 --check"""

import numpy as np


def lora_gradients(dy, x, a, b, alpha):
    """The gradients of a linear layer's adapter, from products of thin matrices alone.

        y = x W^T + (alpha / R) (x A^T) B^T

    Return (dA, dB, dx), where dx is the adapter's own part of it; the frozen layer adds dy W to it. No array may have the shape
    of W, (C_out, C_in): that is what LoRA saves. Nothing that is passed in is changed.
    Shapes:  dy (N, C_out), x (N, C_in), a (R, C_in), b (C_out, R) -> (R, C_in), (C_out, R), (N, C_in)
    """
    raise NotImplementedError






























# hints, shown one at a time by --check
HINTS = ("Name what lies between the two products: down = x A^T, shape (N, R). Then y = s down B^T is a linear layer with the "
         "weight B, and down = x A^T is one with the weight A. Lesson 05 has the gradients of a linear layer.",
         "Backwards through the second layer: dB = s dy^T down, and ddown = s dy B, shape (N, R). Then through the first one.",
         "s = alpha / len(a); ddown = s * dy @ b; return ddown.T @ x, s * dy.T @ (x @ a.T), ddown @ a")
