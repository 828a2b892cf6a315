"""Exercises of lesson 16 to be written: fill in, and run  minillm lesson 16 --check"""

import numpy as np


def priced_rewards(scores, logprob, reference_logprob, mask, beta):
    """The reward of every token: the price of its divergence, and at a response's last token the score.

        r_t = -beta (log pi(token_t) - log pi_ref(token_t)) + [t is the response's last token] score

    mask is 1 on the tokens of the response, which need not begin or end where the row does; elsewhere the reward is 0. A row
    without a response has no rewards.
    Shapes:  scores (B,), logprob, reference_logprob, mask (B, T) -> (B, T)
    """
    raise NotImplementedError






























# hints, shown one at a time by --check
HINTS = ("There are two parts: a price at every token of the response, and the score at one of them. Write the price first.",
         "The price is -beta * (logprob - reference_logprob), and 0 outside the response. Its sign: a token that the policy "
         "makes more likely than the reference did costs something.",
         "rewards = np.where(mask > 0, -beta * (logprob - reference_logprob), 0); then for each row with any mask: "
         "last = np.flatnonzero(mask[row])[-1]; rewards[row, last] += scores[row]")
