"""Exercise of lesson 04. Check it with:  minillm lesson 04 --check"""

HINTS = (
    "Keep m and v, both 0 at the start, in a loop over the gradients; count the steps t from 1.",
    "In step t: update m and v with the new gradient first, then divide each by 1 - beta^t, then move w.",
    "m = beta1 * m + (1 - beta1) * g; v = beta2 * v + (1 - beta2) * g * g; "
    "w -= lr * (m / (1 - beta1**t)) / ((v / (1 - beta2**t)) ** 0.5 + eps).",
)


def adamw_first_steps(w, gradients, lr, beta1=0.9, beta2=0.95, eps=1e-8):
    """A single number after one AdamW step for each gradient, without weight decay.

        m = beta1 m + (1 - beta1) g,     v = beta2 v + (1 - beta2) g^2
        w = w - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps),     t = 1, 2, ...

    Shapes:  w a number, gradients a list of numbers -> a number
    """
    raise NotImplementedError
