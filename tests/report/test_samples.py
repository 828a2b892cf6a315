"""The models' own words, collected from checkpoints of models that have learned nothing."""

import json

import numpy as np
import pytest

from minillm.config import updated
from minillm.runs.config import RunConfig
from minillm.model.language_model import LanguageModel
from minillm.model.transformer import transformer_init
from minillm.phases.rank import Ranking
from minillm.phases.reward import rendered_ranking, reward_heads, reward_scores
from minillm.runs import data, measures, work
from minillm.runs.run import Run
from minillm.evaluate.next_words import next_words, shown
from minillm.report import samples as samples_module
from minillm.report.samples import ANSWERED, EVERYDAY, READ, collect_samples, four_steps, likeliest_words, response_logprobs
from minillm.text.chat import render_chat
from minillm.text.learning import train_tokenizer
from minillm.training.checkpoint import save_checkpoint
from minillm.world.facts import make_world
from minillm.world.raters import gold_score
from minillm.world.requests import make_requests

SIZES = {"layers": 1, "width": 24, "heads": 2, "kv_heads": 1, "hidden": 20, "context": 96}
PROMPT = [{"role": "user", "content": "What is the capital of Peru?"}]
TIED = Ranking(PROMPT, ["Lima.", "Rome.", "No."], [1, 1, 2])
SPREAD = Ranking([{"role": "system", "content": "Use one word only."}, *PROMPT], ["Rome.", "Lima.", "Go."],
                 [2, 1, 3])
LATER = Ranking(PROMPT, ["a", "b", "c"], [3, 2, 1])
LONG = Ranking(PROMPT, ["word " * 200, "b", "c"], [3, 2, 1])


@pytest.fixture(scope="module")
def tokenizer():
    texts = [request.question + " " + request.sentence for request in
             make_requests(make_world(0), 200, np.random.default_rng(0))]
    return train_tokenizer(texts, 420)


def new_model(tokenizer, seed):
    config = updated(RunConfig(), {"model": {**SIZES, "vocab_size": tokenizer.vocab_size}}).model
    return LanguageModel(transformer_init(config, np.random.default_rng(seed)), config, tokenizer)


def make_run(folder, tokenizer, phases, rankings=(LONG, TIED, SPREAD, LATER), own=None):
    folder.mkdir(exist_ok=True)
    run = Run(folder, updated(RunConfig(), {"model": SIZES}), own or {}, quiet=True)
    for seed, phase in enumerate(phases):
        model = new_model(tokenizer, seed)
        heads = reward_heads(model, seed) if phase == "reward" else {}
        save_checkpoint(folder / phase, 1, model, {"heads": heads})
    lines = [json.dumps({**item._asdict(), "rater": "simulated"}) + "\n" for item in rankings]
    (folder / "rank").mkdir()
    for name in (data.RANKINGS, data.RANKINGS_HELD_OUT):
        (folder / "rank" / name).write_text("".join(lines), encoding="utf-8")
    return run


@pytest.fixture(scope="module")
def whole(tmp_path_factory, tokenizer):
    run = make_run(tmp_path_factory.mktemp("runs") / "whole", tokenizer,
                   ("pretrain", "finetune", "reward", "rlhf"))
    return run, collect_samples(run)


def test_next_words_are_the_models_likeliest(whole):
    run, samples = whole
    assert [bar["context"] for bar in samples["next"]][0] == "The cat sat on the"
    bar = samples["next"][0]
    found = next_words(run.model("pretrain"), bar["context"], 8)
    assert [word["p"] for word in bar["words"]] == [p for _, p in found]
    assert len(found) == 8 and bar["words"][0]["text"] == shown(found[0][0], bar["context"])


def test_vocabulary_that_lacks_a_character_or_has_no_room_leaves_the_context_out():
    tokenizer = train_tokenizer(["abc abc"], kind="characters")
    assert likeliest_words(new_model(tokenizer, 0), "def add(a, b)") is None
    assert likeliest_words(new_model(tokenizer, 0), "abc" * 100) is None
    assert likeliest_words(new_model(tokenizer, 0), "abc")["words"]


def test_answers_are_those_of_the_first_held_out_requests(whole):
    run, samples = whole
    requests = data.requests(run)
    rows = samples["answers"]
    assert 20 < len(rows) <= ANSWERED and set(rows[0]["answers"]) == {"base", "finetuned", "aligned"}
    model = run.model("finetune")
    fitting = [request for request in requests
               if len(model.tokenizer.encode_chat(request.messages(), ask=True)) < model.config.context][:ANSWERED]
    for request, row in zip(fitting, rows, strict=True):
        assert row["prompt"] == request.messages()
        for name, phase in (("base", "pretrain"), ("finetuned", "finetune"), ("aligned", "rlhf")):
            assert row["answers"][name]["gold"] == gold_score(request, row["answers"][name]["text"])
    alone = run.model("rlhf").chat(rows[0]["prompt"], max_new_tokens=48)
    assert rows[0]["answers"]["aligned"]["text"] == alone


def test_everyday_prompts_are_the_same_for_every_run_and_have_no_gold_score(whole):
    run, samples = whole
    assert [row["prompt"][0]["content"] for row in samples["everyday"]] == list(EVERYDAY)
    assert all(answer["gold"] is None for row in samples["everyday"] for answer in row["answers"].values())
    alone = run.model("rlhf").chat(samples["everyday"][2]["prompt"], max_new_tokens=48)
    assert samples["everyday"][2]["answers"]["aligned"]["text"] == alone


def test_four_steps_follow_one_of_three_ranks_that_fits(whole):
    run, samples = whole
    steps = samples["steps"]
    assert steps["responses"] in (SPREAD.responses, LATER.responses) and sorted(steps["ranks"]) == [1, 2, 3]
    assert steps["rater"] == "simulated" and set(steps["logprobs"]) == {"finetuned", "aligned"}
    assert (steps["among"], steps["held_out"]) == (2, 3)


def test_four_steps_take_responses_that_differ_and_the_widest_scores(tmp_path, tokenizer, monkeypatch):
    same = Ranking(PROMPT, ["a", "a", "c"], [3, 2, 1])
    run = make_run(tmp_path, tokenizer, ("finetune", "reward"), (same, SPREAD, LATER, TIED))
    wide = {rendered_ranking(tokenizer, item)[0].tobytes(): width
            for item, width in ((same, 9.0), (SPREAD, 1.0), (LATER, 2.0), (TIED, 9.0))}
    monkeypatch.setattr(samples_module, "reward_scores", lambda judge, heads, sequences: np.array(
        [0.0, 0.5, wide[sequences[0].tobytes()]]))
    steps = four_steps(run, {})
    assert steps["responses"] == LATER.responses and steps["scores"] == [0.0, 0.5, 2.0] and steps["among"] == 2


def test_four_steps_without_three_ranks_take_the_most(tmp_path, tokenizer):
    even, later = Ranking(PROMPT, ["x", "y"], [1, 1]), TIED._replace(responses=["", "", ""])
    run = make_run(tmp_path, tokenizer, ("finetune", "reward"), (even, later, TIED))
    assert four_steps(run, {})["responses"] == TIED.responses


def test_four_steps_without_a_ranking_that_fits(tmp_path, tokenizer):
    run = make_run(tmp_path, tokenizer, ("finetune", "reward"), (LONG,))
    assert four_steps(run, {}) is None


def test_rankings_made_by_hand_show_one_that_was_held_out(tmp_path, tokenizer, monkeypatch):
    """Where no file of held-out rankings is, what is shown is among those that run_reward sets aside."""
    run = make_run(tmp_path, tokenizer, ("finetune",))
    (tmp_path / "rank" / data.RANKINGS_HELD_OUT).unlink()
    by_hand = [Ranking(PROMPT, [f"{n}", "b", "c"], [1, 1, 1] if n % 4 == 0 else [3, 2, 1]) for n in range(40)]
    (tmp_path / "rank" / data.RANKINGS).write_text(
        "".join(json.dumps({**item._asdict(), "rater": "human"}) + "\n" for item in by_hand), encoding="utf-8")
    seen = {}

    def train(model, heads, rankings, *_):
        seen["trained"] = rankings
        save_checkpoint(tmp_path / "reward", 1, model, {"heads": heads})

    def measure(model, heads, rankings):
        seen["held_out"] = rankings
        return 0.5, None
    monkeypatch.setattr(work.reward, "train_reward_model", train)
    monkeypatch.setattr(measures, "held_out_accuracy", measure)
    monkeypatch.setattr(measures, "cut_above_finished", lambda *_: 0.25)
    work.run_reward(run)
    assert measures.measure_reward(run) == {"pair_accuracy": 0.5, "cut_above_finished": 0.25}
    steps = four_steps(run, {})
    assert steps["rater"] == "human"
    assert steps["responses"] in [item.responses for item in seen["held_out"]]
    assert steps["responses"] not in [item.responses for item in seen["trained"]]


def test_scores_are_the_reward_models(whole):
    run, samples = whole
    seed = 2                                    # of the third phase that make_run saved
    model = new_model(run.model("finetune").tokenizer, seed)
    chosen = SPREAD if samples["steps"]["responses"] == SPREAD.responses else LATER
    scores = reward_scores(model, reward_heads(model, seed), rendered_ranking(model.tokenizer, chosen))
    np.testing.assert_allclose(samples["steps"]["scores"], scores, rtol=1e-5)


def test_response_logprobs_are_summed_over_the_response_and_its_end(tokenizer):
    model, temperature = new_model(tokenizer, 5), 1.7
    for text, total in zip(SPREAD.responses, response_logprobs(model, SPREAD, temperature)):
        ids, said = render_chat(tokenizer, [*SPREAD.prompt, {"role": "assistant", "content": text}])
        logits = model.logits(ids[:-1]).astype(np.float64) / temperature
        logprobs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        wanted = sum(logprobs[t - 1, ids[t]] for t in np.flatnonzero(said))
        assert ids[-1] == tokenizer.end_id and said[-1]
        assert total == pytest.approx(wanted, rel=1e-5)


def test_collecting_twice_gives_the_same(whole):
    run, samples = whole
    assert collect_samples(run) == samples


@pytest.mark.parametrize("phases, there", [
    (("pretrain",), {"next", "texts", "surprise", "attention"}),
    (("pretrain", "finetune"), {"next", "texts", "surprise", "attention", "answers", "everyday"})])
def test_phases_that_have_not_run_leave_none(tmp_path, tokenizer, phases, there):
    run = make_run(tmp_path, tokenizer, phases)
    samples = collect_samples(run)
    assert {name for name, part in samples.items() if part is not None} == there


def test_readers_own_files(tmp_path, tokenizer):
    text, chats, pairs = (tmp_path / name for name in ("text.txt", "chats.jsonl", "pairs.jsonl"))
    text.write_text("The sun was up and the birds were loud. " * 60, encoding="utf-8")
    said = [{"messages": [*PROMPT, {"role": "assistant", "content": f"Lima {n}."}]} for n in range(40)]
    chats.write_text("".join(json.dumps(record) + "\n" for record in said), encoding="utf-8")
    pairs.write_text("".join(json.dumps({"prompt": f"Say {n}", "chosen": f"{n}", "rejected": "no"}) + "\n"
                             for n in range(20)), encoding="utf-8")
    own = {"pretrain": str(text), "finetune": str(chats), "reward": str(pairs)}
    samples = collect_samples(make_run(tmp_path, tokenizer, ("pretrain", "finetune", "reward", "rlhf"), own=own))
    assert all(bar["context"] in text.read_text(encoding="utf-8") for bar in samples["next"])
    read = "".join(token["text"] for token in samples["surprise"])
    assert read in text.read_text(encoding="utf-8") and "".join(samples["attention"]["tokens"][1:]) in read
    assert [row["prompt"] for row in samples["answers"]] == [PROMPT, PROMPT]
    assert samples["answers"][0]["answers"]["base"]["gold"] is None
    assert samples["steps"]["rater"] == "data" and samples["steps"]["ranks"] == [1, 2]


def test_readers_own_files_that_are_gone(tmp_path, tokenizer):
    own = dict.fromkeys(("pretrain", "finetune", "reward"), str(tmp_path / "gone.jsonl"))
    samples = collect_samples(make_run(tmp_path, tokenizer, ("pretrain", "finetune", "reward"), own=own))
    assert samples["next"] and samples["answers"] is None and samples["steps"] is None
    assert "".join(token["text"] for token in samples["surprise"]) == READ
