"""How much memory each stage needs at most, in bytes, estimated from the configuration alone.

    the process + the data + weights, gradients and moments + the largest batch at work

Each function takes the configuration, and whether the stage works on the user's own data. Counts of
tokens are those of the embedded world in the default vocabulary; the user's own texts are taken to
fill the context, and are checked when they are read.
"""

from dataclasses import replace

from minillm.model.at_once import rows_answered, tokens_scored
from minillm.model.size import (decoding_bytes, pass_bytes, scoring_bytes, training_bytes,
                                weight_bytes)
from minillm.runs.data import HELD_OUT
from minillm.text.tokenizer import BYTES_AND_CONTROL

PROCESS = 160e6         # Python, NumPy, numba and the compiled kernels
TEXT = 10e6             # per megabyte of the embedded world's text
CONVERSATION = 2400     # as messages, as tokens and in packed rows
PROMPT = 1000           # as request, messages and tokens
ANSWER = 700            # as tokens and text
LONGEST_PROMPT = 100     # tokens, with the template's
LONGEST_TALK = 120      # tokens of a conversation
LEARNED = 0.42          # share of a conversation's tokens that are the assistant's
ANSWER_TOKENS = 64      # longest answer in a measurement
ROWS_VALIDATED, ROWS_JUDGED, ROWS_SCORED = 32, 64, 128      # batches of text, answers, rewards
ROWS_ANSWERED = 256     # answers that are sampled at once


def shape(config):
    """The model with the largest vocabulary that its tokenizer can get."""
    tokenizer = config.tokenizer
    size = BYTES_AND_CONTROL if tokenizer.kind == "characters" else tokenizer.vocab_size
    return replace(config.model, vocab_size=size)


def passed(model, tokens, targets, settings):
    """Bytes of a forward and backward pass with a stage's settings."""
    return pass_bytes(model, tokens, targets, settings.recompute, settings.precision)


def share(settings, rows):
    """Rows of one micro-batch."""
    return -(-rows // settings.micro_batches)


def answer_tokens(model, longest):
    """Tokens of the longest prompt with its longest answer."""
    return min(LONGEST_PROMPT + longest, model.context)


def answered(model, longest, rows, each=1, prompt=LONGEST_PROMPT):
    """Bytes of answering: at most `rows` answers at once, `each` to the same prompt."""
    prompt = min(prompt, model.context)
    rows = rows_answered(model, rows, prompt, longest)
    return decoding_bytes(model, rows, -(-rows // each), prompt,
                          min(prompt + longest, model.context))


def at_once(model, rows, length, targets=0.0):
    """Tokens of at most `rows` sequences that are scored at once (model/at_once.py).

    targets: the share of them that may have logits.
    """
    return min(rows * length, max(length, tokens_scored(model, targets)))


def text(config, own):
    """Bytes of the embedded world's text."""
    return 0 if own else TEXT * config.pretrain.megabytes


def tokenizer(config, own=False):
    """The text, and its pairs while they are merged."""
    return PROCESS + 2 * text(config, own)


def pretrain(config, own=False):
    """The text, the training and its validation."""
    model, settings = shape(config), config.pretrain
    tokens = share(settings, settings.rows) * model.context
    validated = ROWS_VALIDATED * model.context
    return PROCESS + text(config, own) + training_bytes(
        model, settings, passed(model, tokens, tokens, settings),
        scoring_bytes(model, validated, validated))


def finetune(config, own=False):
    """Conversations and text, and the training beside the model trained before; the measurement.
    """
    model, settings = shape(config), config.finetune
    rows = share(settings, settings.rows)
    old = 0 if own else share(settings, settings.replay_rows)
    tokens, targets = (rows + old) * model.context, (LEARNED * rows + old) * model.context
    tested = at_once(model, ROWS_JUDGED,
                     model.context if own else min(LONGEST_TALK, model.context), 1.0)
    weights = weight_bytes(model)
    learning, looking = (passed(model, tokens, targets, settings),
                         scoring_bytes(model, tested, LEARNED * tested))
    if settings.lora:       # the base, the merged model of a checkpoint, and what is small
        learning = 2 * weights + max(weights, learning, looking)
    else:
        learning = weights + training_bytes(model, settings, learning, looking)
    if own:
        return PROCESS + learning
    # Prompts of like length share a batch, and the last batch has the longest ones.
    measuring = 5 * weights + answered(model, ANSWER_TOKENS, HELD_OUT - ROWS_ANSWERED)
    talks = settings.conversations + settings.first_steps * settings.rows
    return PROCESS + text(config, own) + CONVERSATION * talks + max(learning, measuring)


def standardized_on(settings):
    """Answers whose spread of rewards becomes the policy's unit: as many as four steps sample."""
    return min(ROWS_ANSWERED, 4 * settings.rows)


def rank(config, own=False):
    """Prompts and answers, the model with the moments of its file, a batch of answers."""
    model, settings = shape(config), config.rank
    asked = settings.prompts + HELD_OUT
    return (PROCESS + asked * (PROMPT + settings.responses * ANSWER) + 3 * weight_bytes(model)
            + answered(model, settings.max_new_tokens,
                       min(ROWS_ANSWERED, asked * settings.responses), settings.responses))


def most_unfinished(settings, rankings):
    """Unfinished responses in the batch of a long training that has the most of them.

    Each of n rankings gets one with probability p:  n p + 3 sqrt(n p (1 - p)), and n at most.
    """
    p = settings.unfinished
    return min(rankings, rankings * p + 3 * (rankings * p * (1 - p)) ** 0.5)


def reward(config, own=False):
    """Rankings, the training, the held-out scores."""
    model, settings, asked = shape(config), config.reward, config.rank
    length = model.context if own else answer_tokens(model, asked.max_new_tokens)
    responses, prompts = (2, 0) if own else (asked.responses, asked.prompts)
    ranked = share(settings, settings.rows)
    tokens = (ranked * responses + most_unfinished(settings, ranked)) * length
    return (PROCESS + prompts * (PROMPT + responses * ANSWER) + training_bytes(
        model, settings, passed(model, tokens, 0, settings),
        scoring_bytes(model, at_once(model, ROWS_SCORED, length), 0)))


def rlhf(config, own=False):
    """Policy, reference and reward model; a rollout, its scores, a pass over it; the measurement.
    """
    model, settings = shape(config), config.rlhf
    longest, rows = settings.max_new_tokens, share(settings, settings.rows)
    weights = weight_bytes(model)
    length = model.context if own else answer_tokens(model, longest)
    prompt = model.context if own else LONGEST_PROMPT
    sampling = max(answered(model, longest, settings.rows, settings.responses_a_prompt, prompt),
                   answered(model, longest, standardized_on(settings), 1, prompt),
                   scoring_bytes(model, at_once(model, ROWS_SCORED, length), 0),
                   scoring_bytes(model, settings.rows * length, settings.rows * longest))
    learning = 2 * weights + training_bytes(
        model, settings, passed(model, rows * length, rows * longest, settings), sampling)
    if own:
        return PROCESS + learning
    measuring = 6 * weights + answered(model, longest, HELD_OUT)        # all in one batch
    return PROCESS + settings.prompts * PROMPT + max(learning, measuring)


def evaluate(config, imported=False):
    """Measuring all stages again: two models, the validation, the answers.

    imported: whether others trained the model; then on the user's own data alone, and the reward
    model is a third one, which is read with the moments in its file.
    """
    model, validated = shape(config), ROWS_VALIDATED * config.model.context
    if imported:
        tested = at_once(model, ROWS_JUDGED, model.context, 1.0)
        return PROCESS + 5 * weight_bytes(model) + max(
            answered(model, config.rlhf.max_new_tokens, HELD_OUT, 1, model.context),
            scoring_bytes(model, tested, tested))
    return PROCESS + TEXT * config.pretrain.megabytes + 4 * weight_bytes(model) + max(
        scoring_bytes(model, validated, validated),
        answered(model, config.rlhf.max_new_tokens, HELD_OUT))


def generate(model, count, prompt, longest):
    """`count` continuations of a prompt of so many tokens.  model: ModelConfig -> bytes"""
    length = min(prompt + longest, model.context)
    return (PROCESS + count * ANSWER + 3 * weight_bytes(model)
            + decoding_bytes(model, min(ROWS_ANSWERED, count), 1, prompt, length))


def trace(model, rows):
    """One step of an untrained model on so many rows.  model: ModelConfig -> bytes"""
    tokens = rows * model.context
    return PROCESS + 2 * weight_bytes(model) + pass_bytes(model, tokens, tokens)
