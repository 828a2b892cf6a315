"""What `import minillm` offers: load a model, train one on texts, fine-tune it on conversations.

The settings are those of the default run, except where the data are small or others trained the
model.
"""

import os
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path

import numpy as np

from minillm import tree
from minillm.config import (OptimizerConfig, check_kind, check_range, did_you_mean, require,
                            refuse_idle, updated)
from minillm.kernels.int8 import LEARN, refuse_int8
from minillm.model.saving import save_model
from minillm.phases import finetune as phase_2
from minillm.phases import pretrain as phase_1
from minillm.phases.tokenizer import learn_vocabulary
from minillm.runs.config import DEFAULT, PRESETS
from minillm.runs.imported import FINETUNE
from minillm.runs.run import model_folder
from minillm.text import corpus
from minillm.text.chat import validate_messages
from minillm.text.tokenizer import BYTES_AND_CONTROL
from minillm.training.checkpoint import REWARD_HEAD, load_checkpoint
from minillm.training.gguf_file import read_gguf
from minillm.training.model_files import with_adapter
from minillm.training.progress import Progress
from minillm.training.recorder import MemoryRecorder

CHARACTERS_A_MERGE = 40     # of the text, for each merge of its vocabulary
LEAST_CONTEXT = 32          # tokens; shorter texts need no longer one
MOST_CONTEXT = 1024         # tokens, to which conversations may lengthen it
WITHOUT = ("megabytes", "save_every")   # dials of the embedded world and of checkpoints


def load(folder):
    """The LanguageModel in a folder: a run (its most trained model), one of its stages, or a step;
    GPT-2, GPT-Neo, Llama or Mixtral as transformers saves them; or a GGUF file.

    Raises:  CheckpointError (a ValueError) if there is no checkpoint, or a broken one.
    """
    if Path(folder).is_file():
        return read_gguf(folder)
    return load_checkpoint(model_folder(folder)).model


def load_adapter(model, folder):
    """A new LanguageModel: a model with an adapter of the library PEFT added to its weights.

    model: the adapter's base, which is not changed. folder: that of adapter_config.json and
    adapter_model.safetensors, as PEFT saves them, or the folder `adapter` of a step.
    Raises:  ValueError of one line for a broken file, an adapter that is not plain LoRA (DoRA,
             trained biases, ...) or does not fit the model; OSError if a file cannot be read.
    """
    return with_adapter(model, folder)


def save_reward_model(run, folder):
    """Write the reward model of a run to a folder, as transformers reads a classifier of one label.

        AutoModelForSequenceClassification.from_pretrained(folder)(**tokens).logits[0, 0]

    is the reward of a conversation, up to the end token of the last answer: what a template writes
    after it is to be cut off.
    Raises:  CheckpointError if the run has none; ValueError as LanguageModel.save, and for a model
             that mixes parts of several families.
    """
    saved = load_checkpoint(Path(run) / "reward" if (Path(run) / "reward").is_dir() else run)
    head = saved.training.get(f"{REWARD_HEAD}weight")
    require(head is not None, f"{run} has no reward model; first: minillm reward {run}")
    save_model(saved.model, folder, {"weight": head})


def train(texts, steps=200, *, validation=(), seed=0, quiet=False, **dials):
    """Pretrain a new model on texts.  Returns the LanguageModel.

    texts: a list of texts, each a document; one text; or a pathlib.Path of a file or a folder.
    validation: texts to measure the loss on during training, in the same forms.
    dials: fields of ModelConfig, PretrainConfig and TokenizerConfig. Unless given, the vocabulary
    is smaller for a short text, and the context is no longer than the longest document: nothing
    would train the positions behind it.
    Raises:  ValueError for an unknown dial or a value out of range, or if there is no text.
    """
    base = {name: getattr(PRESETS[DEFAULT], name)       # vocab_size, which two have, is the last's
            for name in ("model", "pretrain", "tokenizer")}
    known = {item.name: name for name, section in base.items() for item in fields(section)
             if item.name not in WITHOUT}
    model, pretrain, tokenizer = sections(base, known, {"steps": steps, **dials}, seed)
    texts, held_out = read_texts(texts, "texts"), read_texts(validation, "validation")
    require(texts, "there is no text to train on; give a list of texts")
    if "vocab_size" not in dials:
        merges = sum(map(len, texts)) // CHARACTERS_A_MERGE
        tokenizer = replace(tokenizer, vocab_size=min(tokenizer.vocab_size,
                                                      BYTES_AND_CONTROL + merges))
    vocabulary = learn_vocabulary(texts, held_out, tokenizer)
    if "context" not in dials:
        longest = max(len(vocabulary.encode(text)) for text in texts) + 2       # begin and end
        model = replace(model, context=min(model.context, max(longest, LEAST_CONTEXT)))
    stream, validation = map(vocabulary.encode_documents, (texts, held_out))
    if len(stream) <= model.context:    # documents do not see each other: a copy changes nothing
        stream = np.tile(stream, model.context // len(stream) + 1)
    made = phase_1.new_model(model, vocabulary, seed)
    recorder = Spoken("train", quiet)
    recorder.say(f"{count(texts, 'text')}, a vocabulary of {vocabulary.vocab_size:,} tokens, a "
                 f"context of {model.context}, {tree.count(made.params):,} parameters")
    phase_1.pretrain(made, stream, validation, pretrain, seed, recorder)
    return made


def finetune(model, conversations, steps=100, *, validation=(), seed=0, quiet=False, **dials):
    """Fine-tune a model on conversations, in place.  Returns the same model.

    conversations: a list of conversations, each a list of {"role", "content"}, or of texts that the
    user and the assistant say in turn, such as ("Hi", "Hello!"); or a pathlib.Path of a file.
    validation: conversations to measure the loss on, in the same forms.
    dials: fields of OptimizerConfig, and lora, lora_alpha, lora_layers and lora_lr: with lora=8,
    thin matrices of rank 8 are trained in place of the weights, and then added to them. A model
    that others trained is given small steps: lr is 2e-5, with lora 5e-4, unless they are dials.
    A model with rotary positions gets a longer context if a conversation needs it.
    Raises:  ValueError for an unknown dial or a value out of range, what is no conversation, if
             none fits the context, or for a model with int8 weights.
    """
    refuse_int8(model.params["embedding"]["token"], LEARN)
    shared = {item.name for item in fields(OptimizerConfig)} - set(WITHOUT)
    known = {item.name: "finetune" for item in fields(phase_2.FinetuneConfig)
             if item.name in shared or item.name.startswith("lora")}
    base = PRESETS[DEFAULT].finetune if model.tokenizer.imported is None else FINETUNE
    settings, = sections({"finetune": base}, known, {"steps": steps, **dials}, seed)
    talks = read_conversations(conversations, "conversations")
    held_out = read_conversations(validation, "validation")
    require(talks, "there is no conversation to learn from; give a list of them")
    recorder = Spoken("finetune", quiet)
    longest = max(len(model.tokenizer.encode_chat(talk, ask=False)) for talk in talks)
    before = model.config.context
    if longest > before and model.config.position == "rope":
        power_of_two = 1 << (longest - 1).bit_length()
        model.config = replace(model.config, context=max(before, min(power_of_two, MOST_CONTEXT)))
        recorder.say(f"the context grows from {before} to {model.config.context} tokens, because "
                     f"the longest conversation has {longest}")
    left_out = phase_2.finetune(model, talks, settings, seed, recorder, held_out)
    if left_out:
        recorder.say(f"{left_out:,} of {count(talks, 'conversation')} did not fit the context of "
                     f"{model.config.context} tokens")
    return model


def sections(base, known, dials, seed):
    """Sections of settings, changed by the dials.

    base: {name: section as it is without dials}; known: {dial: name of its section}
    Raises:  ValueError for an unknown dial, a value out of range, or a dial that does nothing.
    """
    check_kind("seed", seed, int)
    check_range("seed", seed, "[0, inf)")
    for dial in dials:
        require(dial in known, f"unknown setting {dial}; {did_you_mean(dial, known)}")
    made = []
    for name, section in base.items():
        changes = {dial: value for dial, value in dials.items() if known[dial] == name}
        made.append(updated(section, changes))
        refuse_idle(made[-1], changes)
    return made


def read_texts(texts, what):
    """A list of texts that are not blank, from the forms that train takes."""
    refuse_file_name(texts, what)
    if isinstance(texts, Path):
        return corpus.load_documents(texts, print)
    texts = [texts] if isinstance(texts, str) else list(texts)
    for number, text in enumerate(texts, 1):
        require(isinstance(text, str),
                f"{what}: number {number} is a {type(text).__name__}; each must be a string")
    return [text for text in texts if text.strip()]


def read_conversations(conversations, what):
    """A list of conversations as messages, from the forms that finetune takes."""
    refuse_file_name(conversations, what)
    require(not isinstance(conversations, str), f"{what} is a string; give a list of conversations")
    if isinstance(conversations, Path):
        return corpus.load_conversations(conversations)
    return [messages_of(talk, f"{what}: number {number}")
            for number, talk in enumerate(conversations, 1)]


def messages_of(talk, where):
    """A conversation as messages.  Raises:  ValueError that begins with `where`."""
    if isinstance(talk, (list, tuple)) and all(isinstance(text, str) for text in talk):
        talk = [{"role": ("user", "assistant")[turn % 2], "content": text}
                for turn, text in enumerate(talk)]
    try:
        validate_messages(talk)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    require(any(message["role"] == "assistant" for message in talk),
            f"{where}: no message of the assistant, so nothing to learn from; add its answer")
    return list(talk)


def refuse_file_name(data, what):
    """A string is a text; "poems.txt" is a text of nine letters.  Raises:  ValueError"""
    require(not isinstance(data, str) or not os.path.exists(data),
            f"{what} is the name of a file or folder, {data!r}; to read it, give "
            f"pathlib.Path({data!r})")


def count(items, noun):
    """How many, in words: "1 text", "3 texts"."""
    return f"{len(items):,} {noun}{'s' * (len(items) != 1)}"


class Spoken(MemoryRecorder):
    """Keeps a phase's records, and says how far its training is, unless quiet."""

    def __init__(self, name, quiet):
        super().__init__()
        self.name, self.quiet = name, quiet

    def say(self, text):
        """Print one line."""
        if not self.quiet:
            print(f"{self.name}: {text}", flush=True)

    @contextmanager
    def recording(self, steps, start):
        """A context in which records are added and told."""
        with Progress(self.name, steps, start, self.quiet) as self.progress:
            yield

    def add(self, record):
        """Keep the record of one step, and show it."""
        super().add(record)
        self.progress.step(record)
