"""Lesson 05, exercise 6: a backward pass to write.  Check it:  minillm lesson 05 --check"""

import numpy as np

HINTS = (
    "Go from the output to the input, one step at a time: z = x up^T, h = max(0, z)^2, y = h down^T. For each step, ask "
    "what the chain rule multiplies by. The first and the last are linear layers.",
    "A linear layer y = x W^T has dx = dy W and dW = dy^T x. So dh and the gradient of `down` come first. Then dz = dh "
    "times the derivative of max(0, z)^2, element by element. What is that derivative for z > 0, and for z < 0?",
    "dh = dy @ down;  ddown = dy.T @ h;  dz = dh * 2 * np.maximum(0, z);  and with dz as upstream gradient, x and `up` are "
    "those of a linear layer again.",
)


def squared_relu_backward(dy, x, up, down):
    """The gradients of a feed-forward layer with the activation function max(0, z)^2.

        z = x up^T,   h = max(0, z)^2,   y = h down^T          (compute z and h again, from x)

    Shapes:  dy and x (N, C), up (F, C), down (C, F) -> dx (N, C), dup (F, C), ddown (C, F)
    """
    raise NotImplementedError
