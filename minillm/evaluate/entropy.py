"""Losses of models that only count tokens; a trained model must come below them."""

import numpy as np


def unigram_loss(train, validation, vocab_size):
    """Cross-entropy of the validation tokens under the frequencies of the training tokens.

        p(b) = (count(b) + 1) / (N + V)        (add-one smoothing)

    Shapes:  train (N,) int, validation (M,) int -> nats per token
    """
    counts = np.bincount(train, minlength=vocab_size) + 1.0
    return float(-np.mean(np.log(counts[validation] / counts.sum())))


def bigram_loss(train, validation, vocab_size, prior=5.0):
    """Cross-entropy of each validation token given the one before it, by counts of training pairs.

        p(b | a) = (count(a b) + k p(b)) / (count(a) + k),     k = prior

    A pair that training never shows still gets probability: the unigram p(b) counts like k
    observations.

    Shapes:  train (N,) int, validation (M,) int -> nats per token
    Source:  MacKay & Peto 1995, doi:10.1017/S1351324900000218 (a Dirichlet prior on bigrams).
    """
    unigram = np.bincount(train, minlength=vocab_size) + 1.0
    unigram /= unigram.sum()
    train, validation = train.astype(np.int64), validation.astype(np.int64)
    codes, counts = np.unique(train[:-1] * vocab_size + train[1:], return_counts=True)
    wanted = validation[:-1] * vocab_size + validation[1:]
    at = np.minimum(np.searchsorted(codes, wanted), len(codes) - 1)
    pair = np.where(codes[at] == wanted, counts[at], 0)
    before = np.bincount(train[:-1], minlength=vocab_size)[validation[:-1]]
    return float(-np.mean(np.log((pair + prior * unigram[validation[1:]]) / (before + prior))))
