"""The reward model learns an order it can see, and its batches hide no response."""

import numpy as np
import pytest
import tiny

from minillm.phases.reward import RewardConfig
from minillm.phases.rank import Ranking
from minillm.phases import reward as module
from minillm.phases.reward import (cut_above_finished, cut_before_end, epoch_order, evened, fitting, held_out_accuracy,
                                   ranking_batch, rendered_ranking, reward_heads, reward_scores, train_reward_model,
                                   with_unfinished)
from minillm.text.chat import render_chat
from minillm.training.recorder import FolderRecorder, MemoryRecorder, read_metrics

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


def test_unequal_rankings_leave_places_that_make_no_pair_and_cost_no_row():
    model = tiny.model()
    unequal = [Ranking(ASKED, ["o", "oo", "a"], [2, 1, 3]), Ranking(ASKED, ["a", "o"], [2, 1])]
    batch = ranking_batch(fitting(model, unequal), model.tokenizer.pad_id)
    assert batch.ranks.tolist() == [[2, 1, 3], [2, 1, 0]] and len(batch.tokens) == 5
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


# ---- answers cut before their end token

@pytest.mark.parametrize("text", ["", "o", "ao dog ate"])
def test_a_cut_answer_keeps_the_prompt_and_loses_the_end_at_least(text):
    """Every place of the cut comes up, from one token of the answer to all but its end token."""
    tokenizer, rng = tiny.tokenizer(), np.random.default_rng(0)
    asked = [*ASKED, {"role": "assistant", "content": "a cat"}, *ASKED]             # an earlier answer is not cut
    ids = render_chat(tokenizer, [*asked, {"role": "assistant", "content": text}])[0]
    prompt = len(tokenizer.encode_chat(asked, ask=True))
    cuts = [cut_before_end(tokenizer, ids, rng) for _ in range(200)]
    assert all(np.array_equal(cut, ids[:len(cut)]) for cut in cuts)
    assert {len(cut) for cut in cuts} == set(range(prompt + min(len(text), 1), len(ids)))


def test_an_unfinished_response_is_ranked_behind_all_of_its_prompt():
    tokenizer = tiny.tokenizer()
    sequences, ranks = rendered_ranking(tokenizer, rankings(1)[0]), [2, 1, 2]
    cut_from = set()
    for seed in range(30):
        more, places = with_unfinished(tokenizer, (sequences, ranks), np.random.default_rng(seed))
        assert more[:3] == sequences and places == [2, 1, 2, 3] and ranks == [2, 1, 2]
        whole = [k for k, ids in enumerate(sequences) if np.array_equal(ids[:len(more[3])], more[3])]
        assert whole and tokenizer.end_id not in more[3][sequences[0].tolist().index(tokenizer.assistant_id):]
        cut_from |= set(whole) if len(whole) == 1 else set()
    assert cut_from == {0, 1, 2}


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_the_asked_share_of_rankings_gets_one_whatever_the_batches(share, monkeypatch):
    """Which ranking gets which cut depends on its number and the seed alone, so a resumed run sees the same."""
    def drawn(rows, seed=0, **changes):
        batches, real = [], ranking_batch
        monkeypatch.setattr(module, "ranking_batch", lambda rendered, pad: batches.append(rendered) or real(rendered, pad))
        monkeypatch.setattr(module, "epoch_order", lambda lengths, *_: np.arange(len(lengths)))
        monkeypatch.setattr(module, "fit", lambda model, settings, batch_at, *_: [
            batch_at(step) for step in reversed(range(240 // rows))])
        model, settings = tiny.model(), RewardConfig(rows=rows, unfinished=share, **changes)
        train_reward_model(model, reward_heads(model, 0), rankings(24), settings, seed, MemoryRecorder())
        parts = settings.micro_batches
        steps = [sum(batches[i:i + parts], []) for i in range(0, len(batches), parts)]
        return [([ids.tolist() for ids in sequences], ranks) for step in reversed(steps) for sequences, ranks in step]
    examples = drawn(8)
    assert examples == drawn(24, micro_batches=3)
    assert abs(np.mean([len(ranks) == 4 for _, ranks in examples]) - share) < 0.1
    if share:
        assert examples != drawn(8, seed=1) and examples[:24] != examples[24:48]    # another cut in every epoch


@pytest.mark.training
def test_answers_cut_before_their_end_score_below_finished_ones():
    """The control that saw none of them scores them by chance."""
    above, usual = {}, RewardConfig().unfinished
    for share in (0.0, usual):
        model = tiny.model(fresh=True)
        heads, held_out = reward_heads(model, 0), rankings(30, seed=1)
        settings = RewardConfig(steps=40, rows=8, lr=1e-2, warmup_share=0.1, unfinished=share)
        train_reward_model(model, heads, rankings(40), settings, 0, MemoryRecorder())
        above[share] = cut_above_finished(model, heads, held_out)
        finished, rng = evened(fitting(model, held_out))[0], np.random.default_rng(2)
        cut = [cut_before_end(model.tokenizer, ids, rng) for ids in finished]
        gap = reward_scores(model, heads, finished).mean() - reward_scores(model, heads, cut).mean()
    assert above[0.0] > 0.1 and above[usual] < 0.02 and gap > 1, (above, gap)
    assert held_out_accuracy(model, heads, held_out)[0] > 0.85


def test_scores_of_broken_weights_are_refused():
    """A comparison with NaN is false, so an accuracy would come out as 0, without a word."""
    model = tiny.model()
    heads = reward_heads(model, 0)
    model.params["norm"]["gain"][:] = np.nan
    with pytest.raises(FloatingPointError, match="the scores are not finite"):
        held_out_accuracy(model, heads, rankings(2))
