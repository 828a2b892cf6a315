"""Phase 2, fine-tuning: the same loss, on chosen examples.

Three kinds: conversations make it follow instructions, labelled messages make it do one task,
documents with jargon make it speak of one domain.
"""

import numpy as np

from minillm.evaluate.likelihood import examples_loss
from minillm.text.batches import micro_batches, pack_conversations, packed_batch, window_batch
from minillm.text.chat import render_chat
from minillm.train.objectives import next_token


def rendered(model, conversations):
    """Conversations as (ids, loss mask): only what the assistant says is learned."""
    return [render_chat(model.tokenizer, messages) for messages in conversations]


def finetune(model, conversations, settings, seed, journal, validation=(), replay=None):
    """Go on training on conversations:  minimize -log p(token) over the assistant's tokens alone.

    conversations: [messages]; several are packed into a row, and none sees another.
    replay, (N,) token ids: text of the pretraining, of which every step reads `replay_rows` windows again,
    so that what the base model knew is not forgotten.
    Returns how many were left out because they are longer than the context.
    """
    packed = pack_conversations(rendered(model, conversations), model.config.context,
                                np.random.default_rng(seed), model.tokenizer.pad_id)
    held_out = rendered(model, validation)

    def batch_at(step, _):
        batch = packed_batch(packed, step, settings.rows, seed)
        if replay is not None and settings.replay_rows:
            batch = with_replay(batch, window_batch(replay, step, settings.replay_rows, model.config.context, seed,
                                                    model.tokenizer.begin_id))
        return micro_batches(batch, settings.micro_batches)

    if held_out:
        journal.looking(lambda step: {"validation_loss": examples_loss(model, held_out)}, max(1, settings.steps // 4))
    journal.fit(model, settings, batch_at, next_token(model.config, settings.recompute))
    return packed.left_out


def with_replay(batch, old):
    """Rows of conversations and of pretraining text as one batch; a row of either kind weighs the same.

    A row of text has more targets than a row of conversations, so each of them counts for less.
    """
    share = (batch.weights.sum() / len(batch.weights)) / (old.weights.sum() / len(old.weights))
    old = old._replace(weights=(old.weights * share).astype(np.float32))
    return type(batch)(*(np.concatenate(pair) for pair in zip(batch, old)))


def finetune_task(model, messages, prompt, settings, seed, journal):
    """One task: each labelled message becomes a conversation whose answer is the label."""
    return finetune(model, [task_conversation(prompt, text, label) for text, label in messages],
                    settings, seed, journal)


def task_conversation(prompt, text, label=None):
    """System prompt, message and, where it is known, the label."""
    asked = [{"role": "system", "content": prompt}, {"role": "user", "content": text}]
    return asked if label is None else [*asked, {"role": "assistant", "content": label}]


def finetune_domain(model, stream, settings, seed, journal):
    """One domain: plain next-token prediction again, on documents of that domain."""
    def batch_at(step, _):
        return micro_batches(window_batch(stream, step, settings.rows, model.config.context, seed,
                                          model.tokenizer.begin_id), settings.micro_batches)
    journal.fit(model, settings, batch_at, next_token(model.config, settings.recompute))
