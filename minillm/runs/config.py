"""The configuration of a whole run: the sections of all stages, from the table of stages."""

import json
from dataclasses import field, make_dataclass, replace
from pathlib import Path

from minillm.config import MODELS, Dials, as_dict, did_you_mean, knob, require, updated
from minillm.formats.durable import write_atomically
from minillm.formats.json_file import read_json
from minillm.model.adapter import largest_rank
from minillm.phases.finetune import FinetuneConfig
from minillm.phases.pretrain import PretrainConfig
from minillm.phases.reward import RewardConfig
from minillm.phases.rlhf import RLHFConfig
from minillm.phases.tokenizer import TokenizerConfig
from minillm.runs.stages import BY_NAME, STAGES
from minillm.training.checkpoint import CheckpointError

SECTIONS = {name: kind for stage in STAGES for name, kind in stage.sections.items()}


def check_sections(config):
    """The checks of Dials, and those of several sections.  Raises:  ValueError"""
    Dials.__post_init__(config)
    for name, section in ((name, getattr(config, name)) for name in ("rank", "rlhf")):
        longest, default = section.max_new_tokens, type(section).max_new_tokens
        require(longest <= max(config.model.context, default),      # the default is cut to it
                f"{name}.max_new_tokens is {longest}; the model's context has "
                f"{config.model.context} tokens")
    rank, most = config.finetune.lora, largest_rank(config.model, config.finetune.lora_layers)
    require(rank <= most, f"finetune.lora is {rank}; the smallest of the matrices beside which it "
                          f"stands has a side of {most}, and so a rank of {most} at most; take "
                          "that or less")


RunConfig = make_dataclass(
    "RunConfig",
    [("seed", int, knob(0, "seed of every random choice",
                        within="[0, inf)")),
     *((name, kind, field(default=kind())) for name, kind in SECTIONS.items())],
    bases=(Dials,), frozen=True,
    namespace={"__module__": __name__, "__post_init__": check_sections})
RunConfig.__doc__ = "Everything that `minillm run` does: the sections of all stages."

# What a whole run of each family learns with. The defaults of the phases themselves are AdamW and
# float32.
BFLOAT16 = dict(precision="bfloat16")
MUON = dict(optimizer="muon", beta1=0.8, **BFLOAT16)
DEFAULT = "llama"
LLAMA = RunConfig(model=MODELS["llama"],
                  pretrain=PretrainConfig(steps=850, lr=1.5e-2, table_lr=2.0, **MUON),
                  finetune=FinetuneConfig(conversations=40000, first_share=0.18, steps=1400,
                                          lr=1.47e-2, table_lr=1.5, final_lr=0.01,
                                          weight_decay=0.01, replay_rows=3, task_steps=45,
                                          domain_steps=35, **MUON),
                  reward=RewardConfig(steps=130, **BFLOAT16),
                  rlhf=RLHFConfig(steps=70, lr=2e-4, kl=0.4, **BFLOAT16))
PRESETS = {
    "llama": LLAMA,
    "llama2": replace(LLAMA, model=MODELS["llama2"]),
    "moe": replace(LLAMA, model=MODELS["moe"]),
    "gpt2": RunConfig(model=MODELS["gpt2"], pretrain=PretrainConfig(lr=4e-3)),
    "gpt3": RunConfig(model=MODELS["gpt3"], pretrain=PretrainConfig(lr=4e-3)),
    "micro": RunConfig(tokenizer=TokenizerConfig(kind="characters"), model=MODELS["micro"],
                       pretrain=PretrainConfig(steps=2000, rows=12, lr=1e-3,
                                               warmup_share=0.05, short_share=0.0, beta2=0.99,
                                               validation_every=250)),
}


def save_config(folder, config, data):
    """Write run.json: the resolved configuration, and the paths of the user's own data by stage."""
    write_atomically(Path(folder) / "run.json",
                     json.dumps({**as_dict(config), "data": data}, indent=2) + "\n")


def load_config(folder):
    """(the configuration that a run was begun with, the paths of the user's own data by stage).

    Raises:  CheckpointError for a folder that is not a run's, or a run.json that is broken.
    """
    path = Path(folder) / "run.json"
    if not path.is_file():
        raise CheckpointError(f"{folder} is not the folder of a run: it has no run.json; "
                              "start one: minillm run")
    try:
        saved = read_json(path)
        data = saved.pop("data", {})
        require(isinstance(data, dict) and all(isinstance(file, str) for file in data.values()),
                f"{path}: its data must map stages to files")
        for name in data:
            require(name in BY_NAME, f"{path}: data of an unknown stage {name}; "
                                     f"{did_you_mean(name, BY_NAME)}")
    except ValueError as error:
        raise CheckpointError(str(error)) from None
    try:
        return updated(RunConfig(), saved), data
    except ValueError as error:
        raise CheckpointError(f"{path}: {error}") from None
