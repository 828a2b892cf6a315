"""The loop that nobody can debug by its loss: the reward must rise, and the optimum is known in closed form."""

import numpy as np
import pytest
import tiny

from minillm.phases.rlhf import RLHFConfig
from minillm.phases.rlhf import rlhf, value_heads
from minillm.training.recorder import FolderRecorder, read_metrics

pytestmark = pytest.mark.training

WANTED = 9      # the token that is paid for


def share_of_wanted(sequences, numbers):
    """The share of the last 6 tokens that are the wanted one."""
    return np.array([np.mean(ids[-6:] == WANTED) for ids in sequences], np.float32)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("algorithm", ["ppo", "reinforce"])
def test_a_known_reward_rises_from_chance_to_most_of_the_maximum(algorithm, seed, tmp_path):
    model = tiny.model(fresh=True, seed=seed)
    settings = RLHFConfig(algorithm=algorithm, steps=40, rows=32, group=8, epochs=2, save_every=40, lr=1e-2, warmup_share=0.1,
                            kl=0.01, max_new_tokens=6, missing_end=0.0)
    rlhf(model, value_heads(model, seed), tiny.prompts(), share_of_wanted, settings, seed,
                    FolderRecorder(tmp_path, quiet=True))
    rewards = [record["reward"] for record in read_metrics(tmp_path) if "reward" in record]
    assert len(rewards) == settings.steps / settings.epochs, "each rollout is measured once"
    assert rewards[0] < 0.15 and np.mean(rewards[-3:]) > 0.7, rewards


def distribution(model, prompt):
    return model.predict_next(prompt).probs.astype(np.float64)


@pytest.mark.parametrize("algorithm,kl_form,missing_end",
                         [("reinforce", "reward", 0.0), ("reinforce", "loss", 0.8), ("ppo", "reward", 0.8)])
def test_one_token_responses_approach_the_closed_form_optimum(algorithm, kl_form, missing_end, tmp_path):
    """max E[r] - beta KL(pi || pi_ref) is solved by pi_ref exp(r / beta) / Z, exactly.

    With a penalty for a missing end, r is lower by it for every token but the end token.
    A KL term of the wrong sign, direction or scale still trains, and ends elsewhere. (PPO whitens its
    advantages, so with KL in the loss its beta is in units of their spread, and the optimum another.)
    """
    model, prompt, beta = tiny.model(seed=2, layers=1), tiny.prompts(lengths=(1,))[0], 0.5
    reward = np.random.default_rng(0).uniform(0, 1, model.config.vocab_size).astype(np.float32)
    start = distribution(model, prompt)
    is_end = np.arange(len(reward)) == model.tokenizer.end_id
    optimum = start * np.exp((reward - missing_end * ~is_end) / beta)
    optimum /= optimum.sum()

    def score(sequences, numbers):
        return np.array([reward[ids[-1]] for ids in sequences], np.float32)
    settings = RLHFConfig(algorithm=algorithm, kl_form=kl_form, kl=beta, steps=80, rows=256, group=256, epochs=1,
                            save_every=80, max_new_tokens=1, lr=5e-3, final_lr=0.01, warmup_share=5 / 80, beta2=0.99,
                            temperature=1.0, missing_end=missing_end)
    rlhf(model, value_heads(model, 0), [prompt], score, settings, 0, FolderRecorder(tmp_path, quiet=True))
    end = distribution(model, prompt)
    before, after = np.abs(start - optimum).sum() / 2, np.abs(end - optimum).sum() / 2
    assert before > 0.1 and after < 0.03, (before, after)
