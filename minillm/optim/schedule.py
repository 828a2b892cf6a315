"""The learning rate over a run: up in a line, down along a cosine."""

import math


def learning_rate(step, config):
    """lr_t = peak (t + 1) / warmup, then peak (f + (1 - f) (1 + cos(pi p)) / 2), p from 0 to 1 at the last step.

    Source:  Loshchilov & Hutter 2016, arXiv:1608.03983, eq. 5; Goyal et al. 2017, arXiv:1706.02677 (warm-up).
    """
    if step < config.warmup:
        return config.lr * (step + 1) / config.warmup
    progress = min(1.0, (step - config.warmup) / max(1, config.steps - 1 - config.warmup))
    return config.lr * (config.final_lr + (1 - config.final_lr) * 0.5 * (1 + math.cos(math.pi * progress)))
