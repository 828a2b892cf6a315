"""Exercises of lesson 17 to be written: fill in, and run  minillm lesson 17 --check"""

import numpy as np


def advantages(rewards, values, gamma, lam):
    """Generalized advantage estimation for one response.

        delta_t = r_t + gamma V_{t+1} - V_t,     A_t = delta_t + gamma lambda A_{t+1}

    Beyond the last token V and A are 0.
    Shapes:  rewards, values (T,) -> (T,)
    """
    raise NotImplementedError






























# hints, shown one at a time by --check
HINTS = ("Go from the last token to the first: the advantage of a token needs the one of the token after it.",
         "Keep two numbers while going back, both 0 at first: the value at the next token and the advantage of the next token. "
         "After the last token nothing more is expected.",
         "for t in reversed(range(len(rewards))): delta = rewards[t] + gamma * next_value - values[t]; "
         "A[t] = delta + gamma * lam * next_advantage; next_value, next_advantage = values[t], A[t]")
