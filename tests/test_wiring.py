"""What the parts hand to each other: mistakes here leave every formula right and the training wrong."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import tiny

from minillm import tree
from minillm.config import OptimizerConfig
from minillm.layers.rows import counted, gather, last_of_each, scatter
from minillm.losses.policy import kl_estimates, kl_forward
from minillm.model.decoding import generate_tokens
from minillm.model.language_model import LanguageModel
from minillm.model.sampling import sample
from minillm.model.scoring import token_logprobs
from minillm.model.transformer import one_document, transformer_forward, transformer_init
from minillm.objectives.next_token import next_token_objective
from minillm.optim.adamw import is_frozen
from minillm.phases.finetune import FinetuneConfig, finetune
from minillm.phases.pretrain import PretrainConfig, pretrain
from minillm.phases.reward import RewardConfig, reward_heads, train_reward_model
from minillm.phases.rank import Ranking
from minillm.phases.rlhf import RLHFConfig, rlhf, value_heads
from minillm.phases.rollout import sample_rollout
from minillm.training import loop, trainer
from minillm.training.loop import Rollouts, train
from minillm.training.recorder import FolderRecorder, MemoryRecorder, read_metrics
from minillm.training.trainer import fit


# ---- the loop

def one_step(**changes):
    """(State, record) after one step, and the gradient that it was taken on."""
    config, seen = tiny.config(), []
    params, batch = tiny.params(config, dtype=np.float32), tiny.batch(config)
    grads = next_token_objective(params, batch, config).grads
    settings = OptimizerConfig(**{"steps": 1, "warmup_share": 0, "lr": 1e-3, **changes})
    state = train(params, settings, lambda step: [batch], partial(next_token_objective, config=config),
                  watch=lambda state, record: seen.append(record))
    return state, seen[0], grads


def norm(grads):
    return float(np.sqrt(sum(np.sum(np.square(leaf, dtype=np.float64)) for leaf in tree.leaves(grads))))


@pytest.mark.parametrize("share", [0.01, 0.5, 2.0])
def test_the_step_is_taken_on_the_clipped_gradient(share):
    """AdamW's first step hardly depends on the gradient's scale, so the moments must tell."""
    _, record, grads = one_step()
    limit = share * norm(grads)
    state, record, grads = one_step(clip=limit)
    assert record["grad_norm"] == pytest.approx(norm(grads), rel=1e-6)
    for name, mean, square, grad in tree.zipped(state.optimizer["mean"], state.optimizer["square"], grads):
        clipped = grad * min(1.0, share)
        np.testing.assert_allclose(mean, 0.1 * clipped, rtol=1e-4, atol=1e-12, err_msg=name)
        np.testing.assert_allclose(square, 0.05 * clipped ** 2, rtol=1e-4, atol=1e-18, err_msg=name)


def test_matrices_decay_and_vectors_do_not():
    """With lr decay = 1 and no gradient to speak of, what decays becomes 0 but for the step itself."""
    config = tiny.config("gpt2")
    params = tiny.params(config, dtype=np.float32)
    before = tree.copy(params)
    settings = OptimizerConfig(steps=1, warmup_share=0, lr=1e-3, weight_decay=1000.0)
    train(params, settings, lambda step: [tiny.batch(config)], partial(next_token_objective, config=config))
    for name, now, then in tree.zipped(params, before):
        left = np.abs(now - then).max()
        assert (np.abs(now).max() < 2e-3) if now.ndim >= 2 else (left < 2e-3), name


def test_frozen_parameters_and_branches_stay_to_the_byte():
    config = tiny.config()
    params = tiny.params(config, dtype=np.float32)
    before = tree.copy(params)
    frozen = ("embedding", "blocks.1.attention", "norm.gain")
    state = train(params, OptimizerConfig(steps=3, warmup_share=0), lambda step: [tiny.batch(config)],
                  partial(next_token_objective, config=config), frozen=frozen)
    for name, now, then, mean in tree.zipped(params, before, state.optimizer["mean"]):
        kept = name.startswith(("embedding.", "blocks.1.attention.")) or name == "norm.gain"
        assert (now.tobytes() == then.tobytes()) == kept, name
        assert (not mean.any()) == kept, name


@pytest.mark.parametrize("name, frozen, expected", [
    ("blocks.1.norm1.gain", ("blocks.1",), True), ("blocks.10.norm1.gain", ("blocks.1",), False),
    ("norm.gain", ("norm.gain",), True), ("norm.gain", ("norm.g",), False), ("norm.gain", (), False),
    ("norm.gain", ("head", "norm"), True)])
def test_a_branch_is_frozen_by_its_whole_name(name, frozen, expected):
    assert is_frozen(name, frozen) == expected


def test_targets_that_weigh_less_count_less():
    """Rows of replayed text have weights below 1: the loss is a weighted mean, its weight the sum of the weights."""
    config = tiny.config()
    params, batch = tiny.params(config), tiny.batch(config)
    batch = batch._replace(weights=batch.weights * np.array([[1], [0.5], [0.25], [2]], np.float32))
    part = next_token_objective(params, batch, config)
    model = LanguageModel(params, config, SimpleNamespace(vocab_size=config.vocab_size))
    logprob = token_logprobs(model.params, config, batch._replace(weights=np.ones_like(batch.weights))).logprob
    expected = -np.sum(logprob * batch.weights) / batch.weights.sum()
    assert part.loss == pytest.approx(expected, rel=1e-6) and part.weight == pytest.approx(batch.weights.sum())


def test_the_learning_rate_of_a_step_reaches_it():
    """A step moves a weight by about its learning rate: half the rate, half the move."""
    moves = []
    for lr in (1e-3, 5e-4):
        config = tiny.config()
        params = tiny.params(config, dtype=np.float64)
        before = tree.copy(params)
        train(params, OptimizerConfig(steps=1, warmup_share=0, lr=lr, weight_decay=0.0), lambda step: [tiny.batch(config)],
              partial(next_token_objective, config=config))
        moves.append(params["blocks"][0]["attention"]["query"]["weight"]
                     - before["blocks"][0]["attention"]["query"]["weight"])
    np.testing.assert_allclose(moves[0], 2 * moves[1], rtol=1e-6)
    assert np.median(np.abs(moves[0])) == pytest.approx(1e-3, rel=0.01)


# ---- rollouts

PROMPTS = tiny.prompts(lengths=(3, 5, 2, 7, 4))


def collected(settings, seed=0, score=None):
    """What score and measure were given, in order, while a policy was trained."""
    model, given = tiny.model(fresh=True), []

    def counted_score(sequences, numbers):
        given.append((sequences, np.array(numbers)))
        return np.arange(len(sequences), dtype=np.float32)
    recorder = MemoryRecorder()
    rlhf(model, value_heads(model, 0), PROMPTS, score or counted_score, settings, seed, recorder)
    return given, recorder.records


@pytest.mark.parametrize("algorithm", ["ppo", "reinforce"])
def test_scores_are_asked_for_the_prompt_that_was_answered(algorithm):
    given, _ = collected(RLHFConfig(algorithm=algorithm, steps=3, rows=8, group=4, epochs=1, max_new_tokens=3))
    for sequences, numbers in given:
        for ids, number in zip(sequences, numbers):
            prompt = PROMPTS[number]
            assert np.array_equal(ids[:len(prompt)], prompt) and len(prompt) < len(ids) <= len(prompt) + 3


def test_what_is_measured_of_a_rollout_belongs_to_the_prompt_that_was_answered():
    model, given = tiny.model(fresh=True), []

    def measure(sequences, masks, numbers):
        given.append((sequences, masks, numbers))
        return {"measured": 7.0}
    settings, recorder = RLHFConfig(steps=3, rows=8, epochs=1, max_new_tokens=3), MemoryRecorder()
    rlhf(model, value_heads(model, 0), PROMPTS, lambda sequences, _: np.ones(len(sequences), np.float32), settings, 0,
         recorder, measure)
    assert [record["measured"] for record in recorder.records] == [7.0] * 3
    for sequences, masks, numbers in given:
        for ids, mask, number in zip(sequences, masks, numbers):
            prompt = PROMPTS[number]
            assert np.array_equal(ids[~mask], prompt) and mask.sum() == len(ids) - len(prompt)


def test_a_group_holds_responses_to_one_prompt_side_by_side():
    """Tiled in place of repeated, a response would be compared with responses to other prompts."""
    settings = RLHFConfig(algorithm="reinforce", steps=4, rows=12, group=4, epochs=1, max_new_tokens=3)
    given, _ = collected(settings)
    for _, numbers in given:
        groups = numbers.reshape(-1, 4)
        assert (groups == groups[:, :1]).all()
    assert any(len(set(numbers.tolist())) > 1 for _, numbers in given)
    given, _ = collected(RLHFConfig(algorithm="ppo", steps=4, rows=60, group=4, epochs=1, max_new_tokens=3))
    assert any((numbers.reshape(-1, 4) != numbers.reshape(-1, 4)[:, :1]).any() for _, numbers in given)


def test_every_rollout_draws_anew_and_the_seed_decides():
    settings = RLHFConfig(steps=4, rows=16, epochs=2, max_new_tokens=3, lr=1e-8)
    (first, _), (second, _) = collected(settings)[0]
    assert [ids.tolist() for ids in first] != [ids.tolist() for ids in second]
    again, other = collected(settings)[0], collected(settings, seed=1)[0]
    assert [ids.tolist() for ids in again[0][0]] == [ids.tolist() for ids in first]
    assert [ids.tolist() for ids in other[0][0]] != [ids.tolist() for ids in first]


@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_a_rollout_serves_as_many_steps_as_it_should(epochs):
    settings = RLHFConfig(steps=6, rows=4, epochs=epochs, max_new_tokens=3)
    given, records = collected(settings)
    assert len(given) == 6 / epochs
    assert [record["step"] for record in records if "reward" in record] == list(range(0, 6, epochs))


def test_the_loop_hands_the_rollout_on_and_drops_it_when_it_is_used_up():
    config, states, asked = tiny.config(), [], []
    batches = [tiny.batch(config, seed) for seed in range(3)]

    def batch_at(step, rollout):
        asked.append((step, rollout))
        return [batches[rollout]]
    train(tiny.params(config, dtype=np.float32), OptimizerConfig(steps=5),
          batch_at, partial(next_token_objective, config=config),
          rollouts=Rollouts(lambda number, params: (number, {"number": number}), 2, tuple),
          watch=lambda state, record: states.append((state.rollout, record.get("number"))))
    assert asked == [(0, 0), (1, 0), (2, 1), (3, 1), (4, 2)]
    assert states == [(0, 0), (None, None), (1, 1), (None, None), (2, 2)]


def rollout_of(**changes):
    settings = RLHFConfig(**{"rows": 16, "group": 4, "max_new_tokens": 5, "kl": 0.0, "missing_end": 0.0, **changes})
    policy, reference = tiny.model(seed=0), tiny.model(seed=1)
    heads = value_heads(policy, 0)

    def score(sequences, numbers):
        return np.random.default_rng(5).standard_normal(len(sequences)).astype(np.float32)
    return sample_rollout(0, heads["value_head"], policy, reference, PROMPTS, score, settings, 3)


def test_ppo_advantages_are_whitened_over_the_tokens_that_count():
    rollout, _ = rollout_of(algorithm="ppo")
    counting = rollout.advantages[rollout.mask > 0]
    assert abs(counting.mean()) < 1e-6 and abs(counting.std() - 1) < 1e-4
    assert not rollout.advantages[rollout.mask == 0].any()


def test_reinforce_returns_are_the_whole_reward_on_every_token():
    rollout, _ = rollout_of(algorithm="reinforce")
    rewards = np.random.default_rng(5).standard_normal(16).astype(np.float32)
    np.testing.assert_allclose(rollout.returns, rewards[:, None] * rollout.mask, rtol=1e-6)


def test_the_log_of_a_rollout_counts_what_was_sampled():
    settings = RLHFConfig(steps=1, rows=16, epochs=1, max_new_tokens=5, kl=0.0, missing_end=0.25)
    given, (record,) = collected(settings)
    ((sequences, numbers),) = given
    lengths = [len(ids) - len(PROMPTS[n]) for ids, n in zip(sequences, numbers)]
    assert record["response_tokens"] == pytest.approx(np.mean(lengths))
    assert record["stopped"] == pytest.approx(np.mean([ids[-1] == 2 for ids in sequences]))
    assert record["reward"] == pytest.approx(np.arange(16).mean() - 0.25 * (1 - record["stopped"]))
    assert record["weight"] == sum(lengths)
    assert abs(record["kl"]) < 1e-6, "before the first step the policy is the reference"


def test_k2_is_half_the_square():
    d = np.array([0.5, -1.0, 0.0, 2.0])
    k1, k2, k3 = kl_estimates(np.zeros(4), d)
    np.testing.assert_allclose(k1, -d)
    np.testing.assert_allclose(k2, d * d / 2)
    np.testing.assert_allclose(k3, np.exp(d) - d - 1)
    loss, _ = kl_forward(np.zeros(4), d, np.array([1, 1, 0, 1.0]))
    assert loss == pytest.approx((0.25 + 1 + 4) / 3 / 2)


# ---- first weights

@pytest.mark.parametrize("layers", [1, 2, 8])
def test_what_is_added_to_the_stream_starts_smaller_by_the_root_of_twice_the_depth(layers):
    config = tiny.config(width=240, hidden=200, layers=layers, vocab_size=50)
    for block in transformer_init(config, np.random.default_rng(0))["blocks"]:
        for part, fan_in, shrink in ((block["attention"]["query"], 240, 1), (block["attention"]["value"], 240, 1),
                                     (block["attention"]["output"], 240, 1 / np.sqrt(2 * layers)),
                                     (block["feed_forward"]["up"], 240, 1),
                                     (block["feed_forward"]["gate"], 240, 1),
                                     (block["feed_forward"]["down"], 200, 1 / np.sqrt(2 * layers))):
            assert part["weight"].std() * np.sqrt(fan_in) == pytest.approx(shrink, rel=0.03)


# ---- sampling and decoding

def shares(**settings):
    """How often each of four tokens is drawn in 4,000 draws; its probabilities are .4 .3 .2 .1."""
    logits = np.log(np.tile(np.array([0.4, 0.3, 0.2, 0.1], np.float32), (4000, 1)))
    return np.bincount(sample(logits, np.random.default_rng(0), **settings), minlength=4) / 4000


def powered(power, kept=4):
    probs = np.array([0.4, 0.3, 0.2, 0.1]) ** power * (np.arange(4) < kept)
    return probs / probs.sum()


@pytest.mark.parametrize("settings, expected", [
    ({}, powered(1)), ({"temperature": 0.5}, powered(2)), ({"top_k": 2}, powered(1, 2)),
    ({"top_p": 0.6}, powered(1, 2)), ({"top_p": 0.71}, powered(1, 3)), ({"top_k": 3, "top_p": 0.5}, powered(1, 2)),
    ({"top_k": 2, "temperature": 0.5}, powered(2, 2)), ({"top_p": 0.8, "temperature": 0.5}, powered(2, 2)),
    ({"temperature": 0.0}, powered(1, 1)), ({"top_k": 1}, powered(1, 1)),
])
def test_sampling_settings_act_alone_and_together(settings, expected):
    assert np.abs(shares(**settings) - expected).max() < 0.03


@pytest.mark.parametrize("preset", ["llama", "gpt2"])
def test_generation_fills_the_context_and_not_a_token_more(preset):
    model = tiny.model(preset, context=12)
    prompts = tiny.prompts(lengths=(3, 9, 11, 6))
    new = generate_tokens(model.params, model.config, prompts, np.random.default_rng(0), end_id=-1, pad_id=0,
                          max_new_tokens=50, temperature=1.0)
    assert [len(prompt) + len(tokens) for prompt, tokens in zip(prompts, new)] == [12] * 4
    new = generate_tokens(model.params, model.config, prompts[:2], np.random.default_rng(0), end_id=-1, pad_id=0,
                          max_new_tokens=2, temperature=1.0)
    assert [len(tokens) for tokens in new] == [2, 2]


@pytest.mark.parametrize("preset", ["llama", "gpt2"])
def test_a_window_narrower_than_the_document_keeps_its_positions(preset):
    """Case of a banded attention: the mask moves, the positions stay those of the document."""
    model, window = tiny.model(preset, layers=1), 4
    tokens = tiny.prompts(lengths=(11,))[0][None]
    positions, _ = one_document(tokens)
    band = np.maximum(positions - window + 1, 0).astype(np.int32)
    h, _ = transformer_forward(tokens, model.params, model.config, positions, band)
    for t in range(window, 11):
        part = slice(t - window + 1, t + 1)
        alone, _ = transformer_forward(tokens[:, part], model.params, model.config, positions[:, part].copy(),
                                       np.zeros((1, window), np.int32))
        np.testing.assert_allclose(h[0, t], alone[0, -1], rtol=0, atol=1e-5)
    whole, _ = transformer_forward(tokens, model.params, model.config, *one_document(tokens))
    assert np.abs(whole[0, -1] - h[0, -1]).max() > 1e-3


# ---- rows

def test_rows_are_gathered_and_scattered_back():
    h = np.random.default_rng(0).standard_normal((3, 4, 5))
    mask = np.array([[0, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 1]])
    index = counted(mask)
    rows = gather(h, index)
    np.testing.assert_array_equal(rows, h[mask > 0])
    np.testing.assert_array_equal(scatter(rows, index, h.shape), h * mask[..., None])
    np.testing.assert_array_equal(scatter(rows[:, 0], index, mask.shape), h[..., 0] * mask)
    np.testing.assert_array_equal(gather(h, last_of_each(np.array([1, 3, 0]), 4)), h[[0, 1, 2], [1, 3, 0]])


# ---- phases and their recorder

def test_phases_evaluate_as_often_as_they_should():
    model, recorder = tiny.model(fresh=True, context=16), MemoryRecorder()
    stream = np.tile(tiny.tokenizer().encode(tiny.TEXT), 4)
    pretrain(model, stream, stream[:60], PretrainConfig(steps=7, rows=2, validation_every=3, short_share=0), 0, recorder)
    assert [record["step"] for record in recorder.records if "validation_loss" in record] == [2, 5, 6]
    talk = [[{"role": "user", "content": "the cat"}, {"role": "assistant", "content": "sat"}]] * 6
    model, recorder = tiny.model(fresh=True), MemoryRecorder()
    finetune(model, talk, FinetuneConfig(steps=8, rows=2), 0, recorder, validation=talk[:2])
    assert [record["step"] for record in recorder.records if "validation_loss" in record] == [1, 3, 5, 7]


class Saves(MemoryRecorder):
    """Notes after which steps a checkpoint was asked for."""
    saves = True

    def __init__(self):
        super().__init__()
        self.steps = []

    def save(self, model, heads, state, settings):
        self.steps.append(state.optimizer["step"])


def small_fit(recorder, **keywords):
    config = tiny.config(vocab_size=tiny.tokenizer().vocab_size)
    batch, model = tiny.batch(config), tiny.model(fresh=True)
    fit(model, OptimizerConfig(steps=3), lambda step: [batch], partial(next_token_objective, config=model.config), recorder,
        **keywords)


def test_the_record_of_a_step_is_in_the_file_before_the_next_step(tmp_path):
    """A process that is killed loses no more than the step that it was in."""
    small_fit(FolderRecorder(tmp_path, quiet=True), evaluate=lambda step: {"seen": len(read_metrics(tmp_path))})
    assert [record["seen"] for record in read_metrics(tmp_path)] == [0, 1, 2]


def test_samples_are_shown_beside_the_progress_and_kept_in_the_log_but_not_in_the_output(tmp_path, capsys):
    small_fit(FolderRecorder(tmp_path / "a"), sample=lambda step: f"a cat\nof step {step}", every=2)
    shown = capsys.readouterr()
    assert shown.out == "" and "    step 1: 'a cat\\nof step 0'" in shown.err and "of step 2" in shown.err
    small_fit(FolderRecorder(tmp_path / "b", quiet=True), sample=lambda step: f"a cat\nof step {step}", every=2)
    assert "cat" not in "".join(capsys.readouterr())
    for folder in "ab":
        assert [record.get("sample") for record in read_metrics(tmp_path / folder)] == [
            f"a cat\nof step {step}" for step in range(3)]


def test_samples_are_taken_after_early_steps_and_with_every_evaluation():
    looked = [[part for part in ("measured", "sample") if part in trainer.looked(
        done - 1, done % 4 == 0, lambda step: {"measured": step}, lambda step: "a cat")] for done in range(1, 13)]
    assert [done for done, parts in enumerate(looked, 1) if "measured" in parts] == [4, 8, 12]
    assert [done for done, parts in enumerate(looked, 1) if "sample" in parts] == [1, 3, 4, 8, 10, 12]
    assert trainer.looked(1, False, None, lambda step: "") == trainer.looked(0, True, None, None) == {}


def test_a_step_is_timed_from_its_batch_to_its_update(monkeypatch):
    clock, recorder = iter([10.0, 13.0, 20.0, 20.5, 31.0, 32.25]), MemoryRecorder()
    monkeypatch.setattr(loop, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    small_fit(recorder)
    assert [record["seconds"] for record in recorder.records] == [3.0, 0.5, 1.25]


@pytest.mark.parametrize("save_every, steps, expected", [(2, 5, [2, 4, 5]), (3, 6, [3, 6]), (9, 2, [2])])
def test_checkpoints_are_written_as_often_as_they_should_and_after_the_last_step(save_every, steps, expected):
    model, recorder = tiny.model(fresh=True, context=16), Saves()
    stream = np.tile(tiny.tokenizer().encode(tiny.TEXT), 4)
    settings = PretrainConfig(steps=steps, rows=2, save_every=save_every, validation_every=9)
    pretrain(model, stream, stream[:60], settings, 0, recorder)
    assert recorder.steps == expected


def test_the_first_steps_of_pretraining_read_short_windows(monkeypatch):
    from minillm.phases import pretrain as module
    lengths, real = [], module.window_batch

    def watched(stream, step, rows, length, seed, begin_id):
        lengths.append((rows, length))
        return real(stream, step, rows, length, seed, begin_id)
    monkeypatch.setattr(module, "window_batch", watched)
    model = tiny.model(fresh=True, context=16)
    stream = np.tile(tiny.tokenizer().encode(tiny.TEXT), 4)
    settings = PretrainConfig(steps=4, rows=3, short_share=0.5, short_context=8, validation_every=9)
    pretrain(model, stream, stream[:60], settings, 0, MemoryRecorder())
    assert lengths == [(6, 8), (6, 8), (3, 16), (3, 16)]


def test_a_reward_model_is_trained_on_all_its_rankings_in_parts_as_in_one():
    asked = [{"role": "user", "content": "the cat"}]
    rankings = [Ranking(asked, [f"sat {'a' * n}", "met a dog"], [1, 2]) for n in range(6)]
    ends = []
    for parts in (1, 3):
        model = tiny.model(fresh=True)
        heads, recorder = reward_heads(model, 0), MemoryRecorder()
        settings = RewardConfig(steps=4, rows=6, micro_batches=parts, warmup_share=0, unfinished=0.0)
        train_reward_model(model, heads, rankings, settings, 0, recorder)
        assert [record["weight"] for record in recorder.records] == [6.0] * 4
        ends.append(heads["reward_head"]["weight"].copy())
    np.testing.assert_allclose(ends[0], ends[1], rtol=1e-3)


def test_every_epoch_of_the_reward_model_has_an_order_of_its_own(monkeypatch):
    from minillm.phases import reward as module
    orders, real = [], module.ranking_batch

    def watched(rendered, pad_id):
        orders.append([tuple(ids[0].tolist()) for ids, _ in rendered])
        return real(rendered, pad_id)
    monkeypatch.setattr(module, "ranking_batch", watched)
    asked = [{"role": "user", "content": "the cat"}]
    rankings = [Ranking(asked, [f"sat {'ac'[n % 2]}{'he'[n // 2 % 2]}{'mo'[n // 4]}", "met a dog"], [1, 2])
                for n in range(8)]
    model = tiny.model(fresh=True)
    train_reward_model(model, reward_heads(model, 0), rankings, RewardConfig(steps=4, rows=8, warmup_share=0), 0,
                       MemoryRecorder())
    assert all(sorted(order) == sorted(orders[0]) and len(set(order)) == 8 for order in orders)
    assert len({tuple(order) for order in orders}) == 4
