"""From sampled responses to a batch to learn from: the first update must find the policy where it was sampled."""

from pathlib import Path

import numpy as np
import pytest
import tiny

import minillm
from minillm import tree
from minillm.phases.rlhf import RLHFConfig
from minillm.kernels.matmul import matmul_nt
from minillm.model.language_model import LanguageModel
from minillm.model.heads import scalar_head_forward
from minillm.model.scoring import token_logprobs
from minillm.phases import rollout as module
from minillm.phases.rlhf import rlhf, value_heads
from minillm.phases.rollout import divergence, make_rollout, respond, sample_rollout
from minillm.text.batches import pad_batch
from minillm.training.recorder import FolderRecorder, read_metrics
from minillm.objectives.policy import policy_objective

SETTINGS = RLHFConfig(rows=12, group=4, temperature=0.7, max_new_tokens=6, kl=0.5, gamma=0.9)


def sampled(settings=SETTINGS):
    policy, reference = tiny.model(seed=0), tiny.model(seed=1)
    prompts = [prompt for prompt in tiny.prompts(lengths=(3, 9, 1)) for _ in range(settings.group)]
    sequences, masks = respond(policy, prompts, settings, np.random.default_rng(0))
    scores = np.random.default_rng(1).standard_normal(len(sequences)).astype(np.float32)
    head = value_heads(policy, 0)["value_head"]
    rollout, kl = make_rollout(policy, head, reference, sequences, masks, scores, settings)
    return policy, reference, head, prompts, sequences, scores, rollout, kl


@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize("algorithm", ["ppo", "reinforce"])
def test_the_first_minibatch_has_ratio_1(algorithm, parts, tmp_path):
    """Sampled at one temperature and scored at another, the ratio is wrong before a single step was taken."""
    if parts > 1 and matmul_nt is matmul_nt.plain:
        pytest.skip("BLAS adds up in another order where a batch has fewer rows; only our own product does not")
    settings = RLHFConfig(algorithm=algorithm, steps=6, rows=12, group=4, epochs=2, micro_batches=parts,
                            save_every=6, temperature=0.7, max_new_tokens=6, lr=1e-2, warmup_share=1 / 6,
                            missing_end=0.0)
    model = tiny.model()
    rlhf(model, value_heads(model, 0), tiny.prompts(),
         lambda sequences, numbers: np.array([len(ids) for ids in sequences], np.float32),
         settings, 0, FolderRecorder(tmp_path, quiet=True))
    for record in read_metrics(tmp_path):
        if record["step"] % settings.epochs == 0:
            assert record["ratio_distance"] <= 1e-6 and record["clipped"] == 0
        else:
            assert record["ratio_distance"] > 1e-4


def test_each_place_holds_what_concerns_the_token_after_it():
    policy, reference, _, prompts, sequences, _, rollout, kl = sampled()
    spent = 0.0
    for row, (prompt, ids) in enumerate(zip(prompts, sequences)):
        places = np.flatnonzero(rollout.mask[row])
        assert np.array_equal(places, np.arange(len(prompt) - 1, len(ids) - 1))
        assert np.array_equal(rollout.targets[row, places], ids[len(prompt):])
        for model, stored in ((policy, rollout.old_logprob), (reference, rollout.reference_logprob)):
            logits = model.logits(ids)[places].astype(np.float64) / SETTINGS.temperature
            logprob = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
            expected = logprob[np.arange(len(places)), ids[places + 1]]
            np.testing.assert_allclose(stored[row, places], expected, rtol=0, atol=1e-5)
        spent += np.sum(rollout.old_logprob[row, places] - rollout.reference_logprob[row, places])
    assert not rollout.advantages[rollout.mask == 0].any() and not rollout.returns[rollout.mask == 0].any()
    assert abs(kl - spent / len(sequences)) < 1e-5


def test_the_first_return_is_the_discounted_score_minus_the_price_of_the_divergence():
    settings = RLHFConfig(rows=12, group=4, temperature=0.7, max_new_tokens=6, kl=0.5, gamma=0.9, gae_lambda=1.0)
    *_, prompts, sequences, scores, rollout, _ = sampled(settings)
    for row, prompt in enumerate(prompts):
        places = np.flatnonzero(rollout.mask[row])
        rewards = -0.5 * (rollout.old_logprob - rollout.reference_logprob)[row, places]
        rewards[-1] += scores[row]
        expected = np.sum(0.9 ** np.arange(len(places)) * rewards)
        assert abs(rollout.returns[row, places[0]] - expected) < 1e-5


def test_reinforce_compares_responses_to_one_prompt():
    settings = RLHFConfig(algorithm="reinforce", rows=12, group=4, temperature=0.7, max_new_tokens=6, kl=0.0)
    *_, scores, rollout, _ = sampled(settings)
    groups = scores.reshape(-1, 4)
    expected = (groups - groups.mean(axis=1, keepdims=True)).reshape(-1, 1) * rollout.mask
    np.testing.assert_allclose(rollout.advantages, expected, rtol=0, atol=1e-6)


def test_a_wrong_temperature_would_be_seen():
    """The check above is no tautology: at another temperature the same rollout has ratios far from 1."""
    policy, _, head, *_, rollout, _ = sampled()
    params = {"model": policy.params, "value_head": head}
    right = policy_objective(params, rollout, policy.config, SETTINGS).metrics
    wrong = policy_objective(params, rollout, policy.config, RLHFConfig(temperature=1.0)).metrics
    assert right["ratio_distance"] <= 1e-6 and wrong["ratio_distance"] > 0.1


def test_divergence_of_a_policy_from_itself_is_0_and_from_another_is_the_sum_over_tokens():
    policy, reference, _, prompts, sequences, _, rollout, kl = sampled()
    masks = [np.arange(len(ids)) >= len(prompt) for ids, prompt in zip(sequences, prompts)]
    assert divergence(policy, policy, sequences, masks, 0.7) == 0
    assert abs(divergence(policy, reference, sequences, masks, 0.7, rows=5) - kl) < 1e-5


@pytest.mark.parametrize("cut", ["max_new_tokens", "context"])
def test_a_response_without_an_end_loses_the_penalty_and_the_score_lands_on_its_last_token(cut):
    """However it came to be cut. With gamma = lambda = 1 and no KL, a response's return is its score at every token."""
    policy, reference = tiny.model(seed=0, context=32 if cut == "max_new_tokens" else 14), tiny.model(seed=1)
    settings = RLHFConfig(rows=64, group=4, max_new_tokens=5 if cut == "max_new_tokens" else 40, kl=0.0, temperature=2.0,
                          gae_lambda=1.0, missing_end=0.75)
    given = []

    def score(sequences, _):
        given.extend(sequences)
        return np.arange(len(sequences), dtype=np.float32)
    rollout, record = sample_rollout(0, value_heads(policy, 0)["value_head"], policy, reference, tiny.prompts(), score,
                                     settings, seed=0)
    ended = np.array([ids[-1] == policy.tokenizer.end_id for ids in given])
    assert 0 < ended.sum() < len(ended) and record["stopped"] == ended.mean()
    longest = {len(ids) for ids, stops in zip(given, ended) if not stops}
    assert longest == {14} if cut == "context" else len(longest) > 1
    expected = np.arange(64) - np.where(ended, 0, 0.75)
    np.testing.assert_allclose(rollout.returns, expected[:, None] * rollout.mask, rtol=0, atol=1e-4)
    for row, ids in enumerate(given):
        last = np.flatnonzero(rollout.mask[row])[-1]
        assert rollout.targets[row, last] == ids[-1] and last == len(ids) - 2


def test_values_do_not_see_the_future():
    policy = tiny.model()
    head = value_heads(policy, 0)["value_head"]
    wide = LanguageModel(tree.cast(policy.params, np.float64), policy.config, policy.tokenizer)
    ids = tiny.prompts(lengths=(9,))[0]
    mask = np.arange(9) >= 4
    scored = [token_logprobs(wide.params, wide.config, pad_batch([row], "right", 0, [seen]), 1.0)
              for row, seen in ((ids, mask), (ids[:7], mask[:7]))]
    whole, cut = (scalar_head_forward(each.rows, tree.cast(head, np.float64))[0] for each in scored)
    assert [each.index.tolist() for each in scored] == [[3, 4, 5, 6, 7], [3, 4, 5]]
    np.testing.assert_allclose(whole[:3], cut, rtol=0, atol=1e-12)
    assert np.abs(whole).min() > 0


def test_every_end_token_of_an_imported_model_ends_a_response(monkeypatch):
    """The tiny Llama has two, one of which is its pad; only what has neither loses `missing_end` points."""
    policy = minillm.load(Path(__file__).parents[1] / "interop" / "fixtures" / "llama")
    ends = policy.tokenizer.end_ids
    assert len(ends) == 2 and policy.tokenizer.pad_id in ends and policy.tokenizer.begin_id is None
    asked = policy.tokenizer.encode_chat([{"role": "user", "content": "The cat?"}], ask=True)
    drawn, passed = [[50, ends[0]], [60, 61, ends[1]], [70, 71, 72]], {}

    def generate(params, config, prompts, rng, **settings):
        passed.update(settings)
        return [np.array(ids, np.int32) for ids in drawn]
    monkeypatch.setattr(module, "generate_tokens", generate)
    settings = RLHFConfig(rows=3, algorithm="reinforce", group=3, max_new_tokens=3, missing_end=0.75, kl=0.0)
    scored = []
    rollout, told = sample_rollout(0, value_heads(policy, 0)["value_head"], policy, policy, [asked],
                                   lambda sequences, numbers: scored.extend(sequences) or np.ones(3, np.float32), settings, 0)
    assert passed["end_id"] == ends and told["stopped"] == pytest.approx(2 / 3)
    assert [ids.tolist() for ids in scored] == [[*asked, *ids] for ids in drawn]
    assert told["reward"] == pytest.approx(1 - 0.75 / 3)
    counted = [rollout.targets[row][rollout.mask[row] > 0].tolist() for row in range(3)]
    assert counted == drawn                                 # the end token is learned too, and no pad
