"""Models that others trained: read from their files, and kept as a run's pretrained model.

Such a run was not pretrained here. What is measured or learned on the embedded world would say
nothing about it, so its stages work on the user's own data alone.
"""

import shutil
import time
from dataclasses import replace
from pathlib import Path

from minillm import tree
from minillm.config import require
from minillm.formats.checksums import sha256
from minillm.formats.peft import CONFIG, TENSORS
from minillm.formats.shards import has_weights, weight_files
from minillm.model.language_model import LanguageModel
from minillm.model.size import weight_bytes
from minillm.phases.finetune import FinetuneConfig
from minillm.phases.rank import RankConfig
from minillm.phases.reward import RewardConfig
from minillm.phases.rlhf import RLHFConfig
from minillm.phases.tokenizer import TokenizerConfig
from minillm.runs.checks import require_memory
from minillm.runs.config import RunConfig, save_config
from minillm.runs.folder import is_run, merge_results, new_run
from minillm.runs.lock import locked
from minillm.runs.memory import PROCESS
from minillm.runs.plan import find_run
from minillm.runs.provenance import machine
from minillm.text.tokenizer import BYTES_AND_CONTROL
from minillm.training.checkpoint import (REWARD_HEAD, find_checkpoint, load_checkpoint,
                                         save_checkpoint)
from minillm.training.gguf_file import gguf_config, read_gguf
from minillm.training.interrupt import Interruptible
from minillm.training.model_files import is_adapter, with_adapter

CONTEXT = 1024          # tokens; with rotary positions a model can be given fewer than it has
COPIES = 2.2            # of the weights: as they are kept, and as they are written
# For weights that are good already: small steps, and rows of a whole context. LoRA's matrices begin
# at zero, and want steps that are many times larger. So few and small ones teach a new value head
# nothing: REINFORCE needs none, it compares the answers to a prompt.
FINETUNE = FinetuneConfig(steps=100, rows=2, lr=2e-5, lora_lr=5e-4, warmup_share=0.1,
                          weight_decay=0.0, replay_rows=0)
REWARD = RewardConfig(steps=60, rows=8, micro_batches=4, lr=5e-5, warmup_share=0.1,
                      weight_decay=0.0)
RLHF = RLHFConfig(steps=20, rows=16, micro_batches=4, lr=1e-5, warmup_share=0.1,
                  algorithm="reinforce", group=4, epochs=1, kl=0.05, value_coefficient=0.0,
                  temperature=1.0)
ANSWER = 64             # tokens of an answer that is sampled, or half of a shorter context


def source_of(path):
    """The file or the folder that a path means: a folder of Hugging Face, or a GGUF file.

    Of a run, there is nothing to import.

    Raises:  ValueError that says what it is instead.
    """
    path = Path(path)
    require(path.exists(), f"{path}: no such file or folder; give a folder of Hugging Face or a "
                           "GGUF file")
    require(not is_run(path), f"{path} is the folder of a run already; give it to the verbs: "
                              f"minillm chat {path}")
    require(not is_adapter(path), f"{path} is an adapter; add the model that it was trained "
                                  f"beside: minillm import {path} --base RUN (or DIR, or FILE)")
    if not path.is_dir():
        require(path.suffix == ".gguf", f"{path} is no GGUF file; give a .gguf, or the folder that "
                                        "holds config.json and model.safetensors")
        return path
    found = sorted(path.glob("*.gguf"))
    if has_weights(path) or not found:
        return find_checkpoint(path)
    require(len(found) == 1, f"{path} holds {len(found)} GGUF files; give one of them")
    return found[0]


def base_of(word, root):
    """The file or the folder of an adapter's base: as source_of, or a run's pretrained model.

    Beside that one, the run's own adapters were trained.
    word: a path, or the name of a run under `root`.
    """
    path = Path(word) if Path(word).exists() else find_run(word, root)
    return source_of(path / "pretrain" if is_run(path) else path)


def files_of(source):
    """The files that hold the weights."""
    return [source] if source.is_file() else list(weight_files(source))


def read_source(source, context=CONTEXT):
    """(the model, the longest sequence that it was trained on): it gets at most `context` tokens.

    Raises:  ValueError of one line for files that cannot be read, or run.
    """
    if source.is_file():
        model = read_gguf(source)
    else:
        saved = load_checkpoint(source)
        require(not any(name.startswith(REWARD_HEAD) for name in saved.training),
                f"{source} is a reward model: it scores answers and writes none")
        model = saved.model
    longest = model.config.context
    config = replace(model.config, context=min(longest, context))
    if config.position == "learned":
        table = model.params["embedding"]
        table["position"] = table["position"][:config.context]
    return LanguageModel(model.params, config, model.tokenizer), longest


def config_of(model):
    """The RunConfig of a run that begins with a model."""
    size, longest = model.tokenizer.vocab_size, min(ANSWER, model.config.context // 2)
    return RunConfig(model=model.config, finetune=FINETUNE, reward=REWARD,
                     rank=RankConfig(max_new_tokens=longest),
                     rlhf=replace(RLHF, max_new_tokens=longest), tokenizer=TokenizerConfig(
                         vocab_size=max(size, BYTES_AND_CONTROL), kind=model.tokenizer.kind))


def import_model(path, name, root, context, base=None):
    """Make the run root/NAME, whose pretrained model is the one at `path`.

    base: if `path` is an adapter of the library PEFT, the model to whose weights it is added.
    Returns (its folder, the model, the longest sequence that it was trained on).
    Raises:  ValueError, OSError; the folder is not left behind.
    """
    began = time.perf_counter()
    adapter = None if base is None else Path(path)
    require(adapter is None or is_adapter(adapter),
            f"{path} is no adapter: it has no {CONFIG}; --base is for adapters of the library PEFT")
    source = source_of(path) if adapter is None else base_of(base, root)
    # Quantized weights take up to 12 times their file's size in float32.
    size = weight_bytes(gguf_config(source)) if source.is_file() else \
        sum(file.stat().st_size for file in files_of(source) if file.is_file())
    require_memory("import", PROCESS + size, "the file is too large for this machine")
    model, longest = read_source(source, context)
    model = model if adapter is None else with_adapter(model, adapter)
    require_memory("import", PROCESS + COPIES * weight_bytes(model.config),
                   "the model is too large for this machine")
    folder = new_run(root, name, resumable=False)
    try:
        with locked(folder):
            keep(folder, source, model, began, adapter)
    except BaseException:
        with Interruptible():
            shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder, model, longest


def keep(folder, source, model, began, adapter):
    """Write the run's files: the checkpoint, what it was made from, the settings."""
    files = files_of(source) + ([] if adapter is None else [adapter / TENSORS])
    named = source if adapter is None else adapter
    origin = {"imported": named.name or named.resolve().name,
              "files": {file.name: sha256(file) for file in files}}
    model.tokenizer.save(folder / "tokenizer.json")
    save_checkpoint(folder / "pretrain", 0, model, progress={"origin": origin})
    save_config(folder, config_of(model), {})
    seconds = round(time.perf_counter() - began, 1)
    merge_results(folder, {"tokenizer": {"vocab_size": model.tokenizer.vocab_size},
                           "pretrain": {"parameters": tree.count(model.params)},
                           "seconds": {"tokenizer": 0.0, "pretrain": seconds},
                           "made": {"pretrain": {**origin, **machine()}}})
