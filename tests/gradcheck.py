"""Central differences in float64: the one judge of every backward in the project."""

import numpy as np

WORST = {}  # label -> largest relative error seen, printed at the end of the test run


def relative_error(got, expected):
    """|got - expected| / max(|got|, |expected|), with an absolute floor where both vanish."""
    scale = max(np.linalg.norm(got), np.linalg.norm(expected))
    error = np.linalg.norm(np.asarray(got) - np.asarray(expected))
    return 0.0 if error < 1e-12 else float(error / max(scale, 1e-6))


def gradcheck(forward, backward, inputs, seed=0, h=1e-5, tol=1e-7, label=None, names=None):
    """Compare backward with central differences, along three random directions per input.

    forward(*inputs) -> (y, cache); backward(dy, cache) -> one gradient an input.
    dy is random: under dy = 1 a softmax has zero gradient and errors pass.
    label, and a name an input, say where the error is entered in WORST.
    """
    rng = np.random.default_rng(seed)
    inputs = [np.asarray(x, dtype=np.float64) for x in inputs]
    y, cache = forward(*inputs)
    dy = rng.standard_normal(np.shape(y))
    gradients = backward(dy, cache)
    gradients = gradients if isinstance(gradients, (tuple, list)) else (gradients,)
    assert len(gradients) == len(inputs), f"{len(gradients)} gradients for {len(inputs)} inputs"
    for i, (x, dx) in enumerate(zip(inputs, gradients)):
        assert dx.shape == x.shape, f"input {i}: gradient {dx.shape}, input {x.shape}"
        directions = rng.standard_normal((3, *x.shape))
        analytic = np.array([np.sum(dx * v) for v in directions])
        numeric = np.array([np.sum((forward(*inputs[:i], x + h * v, *inputs[i + 1:])[0]
                                    - forward(*inputs[:i], x - h * v, *inputs[i + 1:])[0]) * dy) / (2 * h)
                            for v in directions])
        error = relative_error(analytic, numeric)
        entry = f"{label}[{names[i] if names else i}]"
        if label:
            WORST[entry] = max(error, WORST.get(entry, 0.0))
        assert error <= tol, f"{entry}, input {i}: {analytic} against {numeric}, relative error {error:.1e}"
