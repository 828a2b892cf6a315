"""Exercise of lesson 12: is a model surer than it is right?"""


def calibration_gap(beliefs, truths):
    """How much surer than right a model is that draws its answers from its beliefs.

        gap = mean over n of ( sum_j b_nj^2  -  b_n,truth(n) )

    It is 0 on average for a calibrated model, above 0 for one that is too sure, below 0 for one that is not sure enough.

    beliefs: rows that sum to 1; truths: the index of the true answer of each question.
    Shapes:  beliefs (N, K), truths (N,) int -> float
    """
    raise NotImplementedError


# Hints: shown one at a time by  minillm lesson 12 --check












HINTS = (
    "Both numbers are averages over the questions. What is the probability that an answer drawn from a row of beliefs is right?",
    "Answer j is drawn with probability b_j, and it is believed at b_j. Average the belief in the drawn answer over the draws.",
    "Per question: sum of the squared beliefs, less the belief in the true answer, beliefs[n, truths[n]]. Then the mean over n.",
)
