"""Exercise of lesson 19. Check it with:  minillm lesson 19 --check"""

import numpy as np


def predicted_loss(runs, cell, alpha, beta):
    """The loss that a scaling law gives for a run that was not made, from runs that were.

        L(N, D) = E + A / N^alpha + B / D^beta,     E, A and B by least squares over the runs

    Shapes:  runs (R, 3): N, D and loss of each;  cell (2,): N and D  ->  a number
    """
    raise NotImplementedError






























# hints, shown one at a time by --check
HINTS = (
    "With the exponents fixed, the law is linear in E, A and B: three columns, one row for each run.",
    "The columns are 1, N^-alpha and D^-beta. np.linalg.lstsq(columns, losses, rcond=None)[0] gives (E, A, B).",
    "design = np.column_stack([np.ones(len(runs)), runs[:, 0] ** -alpha, runs[:, 1] ** -beta]); solve it for runs[:, 2]; then "
    "E + A N^-alpha + B D^-beta with the N and D of the cell.",
)
