"""The table of stages, in their order. The command line, the folders of a run, resuming, the report
and `minillm run` read it. To add a stage, add its record here and its file in phases/.
"""

from minillm.config import ModelConfig
from minillm.phases.finetune import FinetuneConfig
from minillm.phases.pretrain import PretrainConfig
from minillm.phases.rank import RankConfig
from minillm.phases.reward import RewardConfig
from minillm.phases.rlhf import RLHFConfig
from minillm.phases.tokenizer import TokenizerConfig
from minillm.runs import data, measures, memory, work
from minillm.runs.stage import Data, Stage
from minillm.text import corpus

TEXT = 'text: a .txt file, a folder, or JSONL of {"text"}'

STAGES = (
    Stage("tokenizer", 0, "learn a vocabulary",
          "Learn a vocabulary from text.",
          run=work.run_tokenizer, measure=measures.measure_tokenizer, memory=memory.tokenizer,
          sections={"tokenizer": TokenizerConfig}, outputs=("tokenizer.json",),
          data=Data(TEXT, corpus.load_documents)),
    Stage("pretrain", 1, "phase 1: predict the next token",
          "Phase 1: predict the next token. Learns a vocabulary first, unless RUN has one.",
          run=work.run_pretrain, measure=measures.measure_pretrain, memory=memory.pretrain,
          sections={"model": ModelConfig, "pretrain": PretrainConfig}, makes=("tokenizer",),
          data=Data(TEXT, corpus.load_documents, default="tokenizer"), speaks=True),
    Stage("finetune", 2, "phase 2: learn to follow instructions",
          "Phase 2: train on chosen examples: conversations; on the embedded world also a "
          "task and a domain.",
          run=work.run_finetune, measure=measures.measure_finetune, memory=memory.finetune,
          sections={"finetune": FinetuneConfig}, needs=("pretrain",),
          outputs=("finetune", "task", "domain"), speaks=True,
          data=Data("conversations: JSONL of OpenAI, ShareGPT, Alpaca, Dolly, prompt-"
                    "completion or question-answer records", corpus.load_conversations, least=2)),
    Stage("rank", 3, "phase 3: rank responses, by simulated raters or by hand",
          "Phase 3, first half: sample responses and rank them, by simulated raters or by hand.",
          run=work.run_rank, memory=memory.rank, sections={"rank": RankConfig}, needs=("finetune",),
          outputs=(f"rank/{data.RANKINGS}", f"rank/{data.RANKINGS_HELD_OUT}")),
    Stage("reward", 4, "phase 3: learn a reward model from rankings",
          "Phase 3, second half: learn to predict the rankings.",
          run=work.run_reward, measure=measures.measure_reward, memory=memory.reward,
          sections={"reward": RewardConfig}, needs=("finetune", "rank"),
          data=Data('pairs: JSONL of {"prompt", "chosen", "rejected"}, or of {"chosen", '
                    '"rejected"} as TRL and HH have them', corpus.load_preferences, least=2,
                    replaces=("rank",))),
    Stage("rlhf", 5, "phase 3: optimize the model against the reward model",
          "Phase 3, the end: optimize the fine-tuned model against the reward model.",
          run=work.run_rlhf, measure=measures.measure_rlhf, memory=memory.rlhf,
          sections={"rlhf": RLHFConfig}, needs=("finetune", "reward"), speaks=True,
          data=Data('prompts: JSONL of {"prompt"} or conversations, or the pairs of `reward`',
                    corpus.load_asked, least=2, default="reward")),
)

BY_NAME = {stage.name: stage for stage in STAGES}
EVALUATION = 100        # number (see Stage) of the generator of held-out requests
NUMBERS = {**{stage.name: stage.number for stage in STAGES}, "evaluation": EVALUATION}
SPEAKERS = tuple(stage.name for stage in STAGES if stage.speaks)    # in the order of training


def before(name):
    """The stages before the named one, in their order; all stages if the name is None."""
    names = list(BY_NAME)
    return STAGES if name is None else STAGES[:names.index(name)]


def after(name):
    """The name of the stage after the named one; None after the last."""
    names = list(BY_NAME)
    return names[names.index(name) + 1] if name != names[-1] else None


def makers(stage):
    """Names of the stages that run this one first where it is missing."""
    return [maker.name for maker in STAGES if stage.name in maker.makes]


def own_sections(stage):
    """Sections whose keys are bare flags of the stage's verb; an equal key goes to the first."""
    made = [section for name in stage.makes for section in BY_NAME[name].sections]
    return (*[name for name in stage.sections if name == stage.name], *made,
            *[name for name in stage.sections if name != stage.name])
