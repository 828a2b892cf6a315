"""The learning rate over a run: linear warm-up, then cosine decay."""

import math


def learning_rate(step, settings):
    """The learning rate of step t, counted from 0; p runs from 0 after warm-up to 1 at the end.

        warm-up   lr = peak (t + 1) / warmup_steps,     warmup_steps = warmup_share steps
        then      lr = peak (f + (1 - f) (1 + cos(pi p)) / 2)

    Source:  Loshchilov & Hutter 2016, arXiv:1608.03983, eq. 5; Goyal et al. 2017,
             arXiv:1706.02677 (warm-up).
    """
    warmup = settings.warmup_steps
    if step < warmup:
        return settings.lr * (step + 1) / warmup
    span = max(1, settings.steps - 1 - warmup)
    progress = min(1.0, (step - warmup) / span)
    cosine = 0.5 * (1 + math.cos(math.pi * progress))
    return settings.lr * (settings.final_lr + (1 - settings.final_lr) * cosine)
