"""The reward model learns an order it can see, and its batches hide no response."""

import numpy as np
import pytest
import tiny

from minillm.phases.reward import RewardConfig
from minillm.phases.rank import Ranking
from minillm.phases.reward import epoch_order, fitting, held_out_accuracy, ranking_batch, rendered_ranking, reward_heads, reward_scores, train_reward_model
from minillm.train.recorder import FolderRecorder, read_metrics

ASKED = [{"role": "user", "content": "a dog"}]


def rankings(count, seed=0):
    """The response with more letters "o" is the better one."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        counts = rng.permutation(5)[:3]
        texts = ["".join(rng.permutation(["o"] * n + ["a"] * (5 - n))) for n in counts]
        made.append(Ranking(ASKED, texts, [1 + int(np.sum(counts > n)) for n in counts]))
    return made


@pytest.mark.training
def test_it_learns_to_order_responses_it_has_not_seen(tmp_path):
    model = tiny.model(fresh=True)
    heads = reward_heads(model, 0)
    settings = RewardConfig(steps=60, rows=8, lr=1e-2, warmup_share=0.08, save_every=60)
    train_reward_model(model, heads, rankings(40), settings, 0, FolderRecorder(tmp_path, quiet=True))
    losses = [record["loss"] for record in read_metrics(tmp_path)]
    assert abs(losses[0] - np.log(2)) < 0.1     # knows nothing yet
    accuracy, scores = held_out_accuracy(model, heads, rankings(30, seed=1))
    assert accuracy > 0.9 and scores.shape == (30, 3)


def test_a_batch_of_unequal_rankings_fills_up_with_places_that_make_no_pair():
    model = tiny.model()
    unequal = [Ranking(ASKED, ["o", "oo", "a"], [2, 1, 3]), Ranking(ASKED, ["a", "o"], [2, 1])]
    batch = ranking_batch(fitting(model, unequal), model.tokenizer.pad_id)
    assert batch.ranks.tolist() == [[2, 1, 3], [2, 1, 0]] and len(batch.tokens) == 6
    for row, last in enumerate(batch.last):
        assert batch.tokens[row, last] == model.tokenizer.end_id
        assert (batch.visible_from[row, :last + 1] == 0).all() and (batch.visible_from[row, last + 1:] > last).all()


def test_scores_come_back_in_the_order_of_the_responses():
    model, heads = tiny.model(), reward_heads(tiny.model(), 0)
    sequences = [ids for ranking in rankings(5) for ids in rendered_ranking(model.tokenizer, ranking)]
    sequences += tiny.prompts()
    together = reward_scores(model, heads, sequences, rows=4)
    for ids, score in zip(sequences, together):
        assert abs(reward_scores(model, heads, [ids])[0] - score) < 1e-5


def test_rankings_that_do_not_fit_are_left_out_and_none_is_an_error():
    model = tiny.model()
    long = Ranking(ASKED, ["a" * 40, "o"], [1, 2])
    assert len(fitting(model, [long, *rankings(3)])) == 3
    with pytest.raises(ValueError, match="none of 1 rankings fits the context of 32"):
        fitting(model, [long])


def test_an_epoch_visits_every_ranking_once_and_keeps_like_lengths_together():
    lengths = np.random.default_rng(0).integers(10, 90, 50)
    orders = [epoch_order(lengths, 8, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert all(sorted(order) == list(range(50)) for order in orders)
    assert (orders[0] == orders[1]).all() and (orders[0] != orders[2]).any()
    parts = sorted(sorted(lengths[orders[0]][i:i + 8].tolist()) for i in range(0, 48, 8))
    assert sum(parts, []) == sorted(lengths)[:48]           # each batch is a stretch of the sorted lengths
