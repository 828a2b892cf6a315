"""Phase 3, step 4: optimize the fine-tuned model against the reward model, with a KL penalty."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from minillm import tree
from minillm.config import OptimizerConfig, knob, require
from minillm.model.heads import scalar_head_init
from minillm.objectives.algorithms import ALGORITHMS
from minillm.objectives.policy import policy_objective
from minillm.phases.rollout import Rollout, sample_rollout
from minillm.text.batches import micro_batches
from minillm.training.loop import Rollouts
from minillm.training.trainer import fit


@dataclass(frozen=True)
class RLHFConfig(OptimizerConfig):
    """Phase 3, the end: optimize the model for reward, with a KL penalty."""
    steps: int = knob(40, "optimizer steps", within="[1, inf)")
    rows: int = knob(64, "responses per step", within="[1, inf)")
    lr: float = knob(1e-4, "peak learning rate", within="(0, inf)")
    weight_decay: float = knob(0.0, "weight decay of matrices; vectors have none",
                               within="[0, 1000]")
    warmup_share: float = knob(0.125, "linear warm-up, as a share of the steps", within="[0, 1]")
    algorithm: str = knob("ppo", "how rewards become gradients", tuple(ALGORITHMS))
    group: int = knob(4, "responses per prompt that REINFORCE compares; PPO samples one per "
                         "prompt", within="[1, inf)")
    epochs: int = knob(2, "optimizer steps on the same rollout", within="[1, inf)")
    prompts: int = knob(2000, "prompts drawn from the embedded world", within="[1, inf)")
    kl: float = knob(0.2, "KL coefficient (beta): penalty per nat of KL divergence",
                     within="[0, 1000]")
    kl_form: str = knob("reward", "where the KL penalty is added: to each token's reward, or to "
                                  "the loss", ("reward", "loss"))
    missing_end: float = knob(1.0, "penalty for a response without an end token, in points of the "
                                   "standardized score", within="[0, inf)")
    clip_ratio: float = knob(0.2, "PPO: a probability ratio is clipped to 1 +- this",
                             within="[0, inf)")
    value_coefficient: float = knob(0.5, "weight of the value loss", within="[0, 1000]")
    entropy_coefficient: float = knob(0.0, "weight of the entropy bonus", within="[0, 1000]")
    gamma: float = knob(1.0, "discount of later rewards", within="[0, 1]")
    gae_lambda: float = knob(0.95, "GAE: 1 uses sampled returns, 0 the value head's estimates",
                             within="[0, 1]")
    temperature: float = knob(0.6, "sampling temperature, both in the rollout and in the update",
                              within="[0.01, 100]")
    max_new_tokens: int = knob(48, "longest response, in tokens", within="[1, inf)")
    save_every: int = knob(20, "steps between checkpoints", within="[1, inf)")

    def __post_init__(self):
        super().__post_init__()
        if ALGORITHMS[self.algorithm].grouped:
            require(self.group >= 2, f"group is {self.group}; {self.algorithm} compares a response "
                                     "with others to the same prompt and needs 2 or more")
            require(self.rows % self.group == 0,
                    f"rows {self.rows} is not a multiple of group {self.group}")

    @property
    def responses_a_prompt(self):
        """How many responses to the same prompt a rollout has."""
        return self.group if ALGORITHMS[self.algorithm].grouped else 1

    @property
    def kl_in_reward(self):
        """KL coefficient in each token's reward, per nat."""
        return self.kl if self.kl_form == "reward" else 0.0

    @property
    def kl_in_loss(self):
        """KL coefficient in the loss, per nat."""
        return self.kl if self.kl_form == "loss" else 0.0


def value_heads(model, seed):
    """The only new part of the policy: a head that predicts the reward to come at each token."""
    rng = np.random.default_rng(seed)
    return {"value_head": scalar_head_init(rng, model.config.width, bias=True)}


def rlhf(policy, heads, prompts, score, settings, seed, recorder, measure=None):
    """Optimize the policy in place against `score`, without moving far from the initial model.

        maximize  E[score(response) - c [no end token]] - beta KL(policy || reference)

    prompts: [(T_i,) token ids]; score(sequences, prompt numbers) -> (B,) rewards; c: missing_end.
    One rollout serves `epochs` optimizer steps.
    measure(sequences, masks, prompt numbers), if given, returns numbers that are only logged.
    Source:  Ouyang et al. 2022, arXiv:2203.02155, section 3.5; Ziegler et al. 2019,
             arXiv:1909.08593.
    """
    reference = type(policy)(tree.copy(policy.params), policy.config, policy.tokenizer)

    def sample(number, params):
        return sample_rollout(number, params["value_head"], policy, reference, prompts, score,
                              settings, seed, measure)

    def batch_at(step, rollout):
        return micro_batches(rollout, settings.micro_batches)

    objective = partial(policy_objective, config=policy.config, settings=settings)
    fit(policy, settings, batch_at, objective, recorder, heads,
        rollouts=Rollouts(sample, settings.epochs, Rollout))
