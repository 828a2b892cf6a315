"""Ranking by hand, as typed at the terminal or piped in."""

import io
import json

import pytest

from minillm.cli import main
from minillm.phases.rank import Ranking, read_rankings
from minillm.runs.data import RANKINGS
from minillm.terminal import rank


@pytest.mark.parametrize("text, ranks", [
    ("bacd", [2, 1, 3, 4]), ("B > A > C > D", [2, 1, 3, 4]), ("b,a,c,d", [2, 1, 3, 4]),
    ("b=a>c>d", [1, 1, 2, 3]),
    ("d a=b=c", [2, 2, 2, 1]), ("a=b=c=d", [1, 1, 1, 1]), ("a=bc=d", [1, 1, 2, 2]),
])
def test_rankings_are_read(text, ranks):
    assert rank.parse_ranking(text, 4) == ranks


@pytest.mark.parametrize("text, said", [
    ("abc", "D is missing"), ("abcdd", "D is there twice"), ("abce", "not a ranking"), ("=abcd", "not a ranking"),
    ("ab==cd", "not a ranking"), ("a=b>c>d=", "not a ranking"), ("1234", "not a ranking"), (">", "not a ranking"),
])
def test_what_is_no_ranking_says_why(text, said):
    with pytest.raises(ValueError, match=said):
        rank.parse_ranking(text, 4)


class Fixed:
    """In place of a model and its run: three prompts, three responses each."""

    def __init__(self, folder):
        self.folder = folder


@pytest.fixture
def session(tmp_path, monkeypatch):
    """Rank with given lines of input; returns the records of the file."""
    prompts = [[{"role": "user", "content": f"question {n}"}] for n in range(3)]
    path = tmp_path / "rank" / RANKINGS
    monkeypatch.setattr(Fixed, "model", lambda self, phase: None, raising=False)
    monkeypatch.setattr(rank, "askable", lambda model, parts, *_: list(parts.values()))
    monkeypatch.setattr(rank, "responses_to",
                        lambda run, model, n, prompt: [f"{n}x", f"{n}y", f"{n}x", f"{n}z"])

    def play(text):
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        rank.by_hand(Fixed(tmp_path), prompts)
        found = read_rankings(path) if path.exists() and path.stat().st_size else []
        return [(ranking.prompt[0]["content"][-1], ranking.ranks) for ranking in found]
    play.path = path
    return play


def test_equal_responses_are_shown_once_and_share_a_rank(session, capsys):
    assert session("c b=a\n") == [("0", [2, 2, 2, 1])]
    assert "  D  " not in capsys.readouterr().out
    record = json.loads(session.path.read_text(encoding="utf-8"))
    assert (record["responses"], record["rater"]) == (["0x", "0y", "0x", "0z"], "human")


def test_it_goes_on_where_it_stopped(session):
    assert session("abc\nq\n") == [("0", [1, 2, 1, 3])]
    assert [n for n, _ in session("cba\n")] == ["0", "1"]
    assert [n for n, _ in session("abc\nabc\n")] == ["0", "1", "2"]


def test_undo_takes_the_last_ranking_out_of_the_file(session):
    assert session("abc\nabc\nu\ncba\nq\n") == [("0", [1, 2, 1, 3]), ("1", [3, 2, 3, 1])]
    assert session("u\nq\n") == [("0", [1, 2, 1, 3])]
    assert session("u\nu\nq\n") == []


def test_undo_of_an_earlier_session_asks_that_prompt_next(session):
    session("abc\n")
    assert session("u\ncba\nq\n") == [("0", [3, 2, 3, 1])]


def test_skipped_and_senseless_lines_write_nothing(session, capsys):
    assert session("s\n\nabcd\na=b=c\nxyz\nq\nabc\n") == []
    said = capsys.readouterr().out
    assert "all equal teaches nothing" in said
    assert "not a ranking" in said


def test_prompts_of_a_file(tmp_path):
    path = tmp_path / "prompts.jsonl"
    user = {"role": "user", "content": "a"}
    path.write_text("\n".join(json.dumps(record) for record in (
        {"prompt": "a"}, {"prompt": [user]}, {"messages": [user, {"role": "assistant", "content": "b"}]})),
        encoding="utf-8")
    assert rank.load_prompts(path) == [[user]] * 3
    path.write_text('{"text": "a"}\n', encoding="utf-8")
    with pytest.raises(ValueError, match='line 1: neither "prompt" nor "messages"'):
        rank.load_prompts(path)
    path.write_text('{"prompt": [{"role": "assistant", "content": "b"}]}\n', encoding="utf-8")
    with pytest.raises(ValueError, match="line 1: message 1"):
        rank.load_prompts(path)


def test_simulated_rankings_are_not_mixed_with_ones_by_hand(tmp_path, capsys, monkeypatch):
    from minillm.runs.config import RunConfig
    from minillm.phases.rank import append_ranking
    from minillm.runs.plan import Plan

    ranking = Ranking([{"role": "user", "content": "a"}], ["b", "c"], [1, 2])
    (tmp_path / "rank").mkdir()
    append_ranking(tmp_path / "rank" / RANKINGS, ranking, "simulated")
    monkeypatch.setattr(rank, "plan", lambda args, stage: Plan(tmp_path, None, False, RunConfig(), {}, None))
    assert main(["rank", "--human"]) == 2
    assert "--name NEW" in capsys.readouterr().err
