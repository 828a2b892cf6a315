"""Phase 2, fine-tuning: the same loss, on chosen examples.

Three kinds: conversations teach the model to follow instructions, labelled messages teach it one
task, and documents full of jargon teach it to write in one domain.
"""

import bisect
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from minillm.config import OptimizerConfig, knob
from minillm.evaluate.likelihood import examples_loss
from minillm.model.adapter import LAYERS, attach, merge, new_adapter, plain
from minillm.model.language_model import LanguageModel
from minillm.objectives.next_token import next_token_objective
from minillm.text.batches import micro_batches, pack_conversations, packed_batch, window_batch
from minillm.text.chat import render_chat
from minillm.text.corpus import unsaid
from minillm.text.fitting import that_fit
from minillm.training.trainer import fit


@dataclass(frozen=True)
class FinetuneConfig(OptimizerConfig):
    """Phase 2: continue training on chosen examples."""
    steps: int = knob(700, "optimizer steps", within="[1, inf)")
    lr: float = knob(1e-3, "peak learning rate", within="(0, inf)")
    warmup_share: float = knob(0.029, "linear warm-up, as a share of the steps", within="[0, 1]")
    conversations: int = knob(20000, "instructions drawn from the embedded world",
                              within="[2, inf)")
    first_share: float = knob(0.0, "share of the steps that read easier conversations of the "
                                   "embedded world before the others; with --data there are none",
                              within="[0, 1)", later=True)
    replay_rows: int = knob(4, "windows of the pretraining text that every step reads again, "
                               "so that the model forgets less", within="[0, inf)")
    task_steps: int = knob(100, "steps of the fine-tuning for one task", within="[1, inf)")
    task_warmup_share: float = knob(0.2, "linear warm-up, as a share of task_steps",
                                    within="[0, 1]")
    domain_steps: int = knob(60, "steps of the fine-tuning for one domain", within="[1, inf)")
    domain_warmup_share: float = knob(0.33, "linear warm-up, as a share of domain_steps",
                                      within="[0, 1]")
    lora: int = knob(0, "rank of LoRA: two thin matrices beside each linear layer are trained, by "
                        "AdamW, in place of the weights; 0: the weights", within="[0, inf)",
                     later=True)
    lora_alpha: float = knob(16.0, "strength of LoRA: alpha / rank is the factor of its matrices",
                             within="(0, inf)", later=True, needs="lora")
    lora_layers: str = knob("all", "linear layers of the blocks that LoRA is beside",
                            tuple(LAYERS), later=True, needs="lora")
    lora_lr: float = knob(0.0, "peak learning rate of LoRA's matrices, in place of lr; 0: lr. An "
                               "imported model has 5e-4 here, unless lr is given",
                          within="[0, inf)", later=True, needs="lora")

    def implied(self, changes):
        """An lr that somebody chose holds for LoRA too."""
        return {"lora_lr": 0.0} if "lr" in changes else {}

    @property
    def first_steps(self):
        """Number of first steps that read easier conversations, if there are some."""
        return min(round(self.first_share * self.steps), self.steps - 1)

    @property
    def for_task(self):
        """The settings of the fine-tuning for one task."""
        return replace(self, steps=self.task_steps, warmup_share=self.task_warmup_share)

    @property
    def for_domain(self):
        """The settings of the fine-tuning for one domain."""
        return replace(self, steps=self.domain_steps, warmup_share=self.domain_warmup_share)


def rendered(model, conversations, what, note=unsaid, least=1):
    """Those conversations that fit the context, as (ids, loss mask): only the assistant's tokens
    are learned.  Raises:  ValueError if there are some, and fewer than `least` fit.
    """
    whole = [render_chat(model.tokenizer, messages) for messages in conversations]
    (fit,) = that_fit({what: whole}, lambda example: example[:1], model.config.context, note,
                      least=min(len(whole), least))
    return fit


def finetune(model, conversations, settings, seed, recorder, validation=(), replay=None,
             note=unsaid, first=()):
    """Train on conversations:  minimize -log p(token) over the assistant's tokens only.

    conversations: [messages]; several are packed into a row, and none sees another.
    replay: (N,) token ids of the pretraining text. Every step reads `replay_rows` windows of it
    again, so that the model does not forget it.
    note: called with a line that counts those that are longer than the context.
    first: lists of easier conversations, which the first steps (first_share) read in place of the
    others, one list after the other. What is longer than the context is left out.
    Returns how many conversations to learn from are longer than the context and were left out;
    those of `validation` that are longer are left out too.
    """
    def packed_rows(examples):
        return pack_conversations(examples, model.config.context, np.random.default_rng(seed),
                                  model.tokenizer.pad_id)

    learned = rendered(model, conversations, "conversations", note)
    held_out = rendered(model, validation, "held-out conversations", note)
    packed = packed_rows(learned)   # raises an error if there is nothing to learn from
    easier = [rendered(model, talks, "first conversations", least=0) for talks in first]
    lists = [*(packed_rows(examples) for examples in easier if examples), packed]
    begins = [settings.first_steps * i // max(len(lists) - 1, 1) for i in range(len(lists))]

    def batch_at(step):
        now = bisect.bisect_right(begins, step) - 1
        batch = packed_batch(lists[now], step - begins[now], settings.rows, seed)
        if replay is not None and settings.replay_rows:
            old = window_batch(replay, step, settings.replay_rows, model.config.context, seed,
                               model.tokenizer.begin_id)
            batch = with_replay(batch, old)
        return micro_batches(batch, settings.micro_batches)

    def evaluate(trained):
        return {"validation_loss": examples_loss(trained, held_out)}

    fit_chosen(model, settings, batch_at, seed, recorder, evaluate if held_out else None)
    return len(conversations) - len(learned)


def fit_chosen(model, settings, batch_at, seed, recorder, evaluate=None):
    """Fit the model in place: all its parameters or, with settings.lora, an adapter, then merged.

    evaluate(model as it is then) -> numbers for the log, four times in the training.
    """
    objective = partial(next_token_objective, config=model.config, recompute=settings.recompute,
                        precision=settings.precision)
    trained = model
    if settings.lora:
        trained = LanguageModel(attach(model.params, adapter_for(model, settings, seed)),
                                model.config, model.tokenizer)
        settings = replace(settings, lr=settings.lora_lr or settings.lr)
    fit(trained, settings, batch_at, objective, recorder,
        evaluate=(lambda step: evaluate(trained)) if evaluate else None,
        every=max(1, settings.steps // 4))
    if settings.lora:
        model.params = plain(merge(trained.params))


def adapter_for(model, settings, seed):
    """A new Adapter beside a model, as the settings say."""
    return new_adapter(model.params, settings.lora, settings.lora_alpha, settings.lora_layers,
                       np.random.default_rng([seed, 2]))


def with_replay(batch, old):
    """Rows of conversations and of pretraining text as one batch; all rows have the same weight.

    A row of text has more targets than a row of conversations, so each target gets less weight.
    """
    share = (batch.weights.sum() / len(batch.weights)) / (old.weights.sum() / len(old.weights))
    old = old._replace(weights=(old.weights * share).astype(np.float32))
    return type(batch)(*(np.concatenate(pair) for pair in zip(batch, old)))


def finetune_task(model, messages, prompt, settings, seed, recorder):
    """One task: each labelled message becomes a conversation whose answer is the label."""
    return finetune(model, [task_conversation(prompt, text, label) for text, label in messages],
                    settings, seed, recorder)


def task_conversation(prompt, text, label=None):
    """System prompt, message and, if it is known, the label."""
    asked = [{"role": "system", "content": prompt}, {"role": "user", "content": text}]
    return asked if label is None else [*asked, {"role": "assistant", "content": label}]


def finetune_domain(model, stream, settings, seed, recorder):
    """One domain: plain next-token prediction again, on documents of that domain."""
    def batch_at(step):
        batch = window_batch(stream, step, settings.rows, model.config.context, seed,
                             model.tokenizer.begin_id)
        return micro_batches(batch, settings.micro_batches)

    fit_chosen(model, settings, batch_at, seed, recorder)
