"""Responses keep their prompt, ties teach nothing, and a broken file says where."""

import numpy as np
import pytest
import tiny

from minillm.phases.rank import (RankConfig, Ranking, append_ranking, collect_rankings, from_pairs, read_rankings,
                                 sample_responses)

ASKED = [[{"role": "user", "content": text}] for text in ("a dog", "the cat sat", "a")]
SETTINGS = RankConfig(responses=3, max_new_tokens=5)


def test_k_responses_a_prompt_are_ranked_with_what_the_rater_knows():
    seen = []

    def rater(known, responses, rng):
        seen.append((known, tuple(responses)))
        return [1, 1, 1] if known == 1 else [2, 1, 3]
    rankings = collect_rankings(tiny.model(fresh=True), list(zip(ASKED, range(3))), rater, SETTINGS,
                                np.random.default_rng(0))
    assert [known for known, _ in seen] == [0, 1, 2] and all(len(responses) == 3 for _, responses in seen)
    assert [ranking.prompt for ranking in rankings] == [ASKED[0], ASKED[2]]        # the tie in between is left out
    assert [tuple(ranking.responses) for ranking in rankings] == [seen[0][1], seen[2][1]]
    assert len({text for _, responses in seen for text in responses}) > 3         # sampled, not repeated


def test_rankings_survive_a_file(tmp_path):
    path = tmp_path / "preferences.jsonl"
    made = [Ranking(ASKED[0], ["ja\n", "n\u00f6"], [2, 1]), Ranking(ASKED[1], ["a", "b", "c"], [1, 1, 2])]
    for ranking in made:
        append_ranking(path, ranking, "reader")
    assert read_rankings(path) == made


@pytest.mark.parametrize("line", ["{", '{"prompt": [], "responses": []}', "[1]", "3"])
def test_a_broken_record_is_named_by_its_line(tmp_path, line):
    path = tmp_path / "preferences.jsonl"
    append_ranking(path, Ranking(ASKED[0], ["a", "b"], [1, 2]), "reader")
    with open(path, "a", encoding="utf-8") as file:
        file.write(line + "\n")
    with pytest.raises(ValueError, match="preferences.jsonl, line 2"):
        read_rankings(path)


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(ValueError, match="holds no ranking"):
        read_rankings(tmp_path / "empty.jsonl")


def test_pairs_are_rankings_of_two():
    records = [{"prompt": ASKED[0], "chosen": [{"role": "assistant", "content": "yes"}],
                "rejected": [{"role": "assistant", "content": "no"}]}]
    assert from_pairs(records) == [Ranking(ASKED[0], ["yes", "no"], [1, 2])]
    records[0]["rejected"] = records[0]["chosen"]
    assert from_pairs(records) == [Ranking(ASKED[0], ["yes", "yes"], [1, 1])]


class Echo:
    """In place of a model: it answers every conversation with its own words."""

    def answer(self, asked, rng, **sampling):
        return [messages[-1]["content"] for messages in asked], None


def test_responses_stay_with_the_prompt_that_they_answer():
    prompts = [[{"role": "user", "content": text}] for text in ("one", "two", "three")]
    found = sample_responses(Echo(), prompts, RankConfig(responses=2), np.random.default_rng(0))
    assert found == [["one", "one"], ["two", "two"], ["three", "three"]]
