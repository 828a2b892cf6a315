"""Ranking by hand, as typed at the terminal or piped in."""

import io
import json
from types import SimpleNamespace

import pytest

from minillm.phases.rank import Ranking, append_ranking, read_rankings
from minillm.runs.data import RANKINGS
from minillm.runs.stages import BY_NAME
from minillm.terminal import rank, taught


@pytest.mark.parametrize("text, ranks", [
    ("bacd", [2, 1, 3, 4]), ("B > A > C > D", [2, 1, 3, 4]), ("b,a,c,d", [2, 1, 3, 4]),
    ("b=a>c>d", [1, 1, 2, 3]),
    ("d a=b=c", [2, 2, 2, 1]), ("a=b=c=d", [1, 1, 1, 1]), ("a=bc=d", [1, 1, 2, 2]),
])
def test_rankings_are_read(text, ranks):
    assert rank.parse_ranking(text, 4) == ranks


@pytest.mark.parametrize("text, said", [
    ("abc", "D is missing"), ("abcdd", "D is there twice"), ("abce", "not a ranking of A to D; "), ("=abcd", "not a ranking"),
    ("ab==cd", "not a ranking"), ("a=b>c>d=", "not a ranking"), ("1234", "not a ranking"), (">", "not a ranking"),
])
def test_what_is_no_ranking_says_why(text, said):
    with pytest.raises(ValueError, match=said):
        rank.parse_ranking(text, 4)


class Fixed:
    """In place of a run and its model."""

    def __init__(self, folder):
        self.folder = folder


@pytest.fixture
def session(tmp_path, monkeypatch, request):
    """Rank three prompts, or `count`, with given lines of input; returns the records of the file."""
    count = getattr(request, "param", 3)
    prompts = [([{"role": "user", "content": f"question {n:x}"}], None) for n in (*range(count), 0)]
    path = tmp_path / "rank" / RANKINGS
    monkeypatch.setattr(Fixed, "assistant", lambda self: None, raising=False)
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
    assert "=== 1 of 3" in said
    assert "all equal teaches nothing" in said
    assert "not a ranking" in said


@pytest.mark.parametrize("session", [13], indirect=True)
def test_ten_prompts_at_a_time(session, capsys):
    assert len(session("abc\n" * 10 + "no\n" + "abc\n")) == 10
    said = capsys.readouterr().out
    assert "=== 10 of 10" in said and "10 ranked. 10 more? [Y/n]" in said
    assert len(session("abc\n" * 2 + "u\ncba\ns\n")) == 12           # the one that is left is skipped
    assert len(session("")) == 12 and "0 prompts to go" in capsys.readouterr().out


@pytest.mark.parametrize("session", [13], indirect=True)
@pytest.mark.parametrize("answer", ["", "y", "Yes"])
def test_going_on_after_ten(session, answer):
    assert len(session("abc\n" * 10 + answer + "\n" + "abc\n" * 9)) == 13


def test_what_was_skipped_is_not_asked_again(session, capsys):
    assert session("s\ns\nq\n") == []
    assert "s\n" not in capsys.readouterr().out
    assert session("abc\nabc\n") == [("2", [1, 2, 1, 3])]
    assert "0 rankings so far, 1 prompts to go, 2 skipped before" in capsys.readouterr().out
    (session.path.parent / rank.SKIPPED).unlink()
    assert [n for n, _ in session("abc\nq\n")] == ["2", "0"]


def test_what_the_rankings_taught_and_what_comes_next(session, capsys):
    session("abc\nb>a=c\nq\n")
    *_, pairs, place = capsys.readouterr().out.splitlines()
    assert pairs == "You ordered 5 pairs of responses."         # all are equally long
    assert place == f"next: minillm reward {session.path.parent.parent}"
    session("u\nu\nabc\nq\n")
    said = capsys.readouterr().out
    assert "You ordered 3 pairs of responses." in said and "next: " not in said
    session("u\nq\n")
    assert "You ordered" not in capsys.readouterr().out


def test_a_long_response_is_wrapped_beside_its_letter():
    lines = rank.hanging("  A  ", "def f():\n    return 1\n" + "word " * 20).split("\n")
    assert lines[:2] == ["  A  def f():", "         return 1"] and len(lines) == 4
    assert max(map(len, lines)) <= 80 and lines[3].startswith("     word")
    assert rank.hanging("  B  ", "") == "  B  "


PROMPT = [{"role": "user", "content": "a"}]


def test_agreement_with_lengths_gold_scores_and_rewards(tmp_path, monkeypatch):
    given = Ranking(PROMPT, ["a b c", "a", "a b c", "a b"], [2, 1, 2, 3])       # pairs (1, 0), (1, 3), (0, 3)
    gold = {"a b c": 0.5, "a": 0.5, "a b": 0.25}
    monkeypatch.setattr(taught, "gold_score", lambda request, text: gold[text] * request)
    monkeypatch.setattr(taught, "run_with_reward_model", lambda run: Fixed("runs/one"))
    monkeypatch.setattr(taught, "rewarded", lambda run, rankings: (rankings, [[2.0, 1.0, 2.0, 1.5]]))
    assert taught.taught(None, [given], [([], 0), (PROMPT, 1)]) == [
        "You ordered 3 pairs of responses.",
        "The shorter one of two was better in 2 of 3 pairs of unequal lengths.",
        "The simulated raters would have ordered them as you did in 2 of 2 pairs of",
        "unequal gold scores.",
        "The reward model of runs/one orders them as you did in 1 of 3 pairs of unequal",
        "rewards."]
    assert len(taught.taught(None, [given], [(PROMPT, None)])) == 4         # the user's own prompt has no gold score
    assert taught.taught(None, [], []) == []


def test_the_simulated_raters_rankings_are_kept_and_a_persons_go_into_a_run_beside(tmp_path, capsys):
    source = tmp_path / "one"
    (source / "rank").mkdir(parents=True)
    args = SimpleNamespace(run=str(source), name=None, root=str(tmp_path), resume=True, quiet=False)

    def meant():
        rank.step_beside(args, BY_NAME["rank"])
        return args.run, args.name, args.resume
    append_ranking(source / "rank" / RANKINGS, Ranking(PROMPT, ["b", "c"], [1, 2]), "human")
    assert meant() == (str(source), None, True)
    append_ranking(source / "rank" / RANKINGS, Ranking(PROMPT, ["b", "c"], [1, 2]), "simulated")
    assert meant() == (str(source), "one-human", False)
    assert " ".join(capsys.readouterr().out.split()) == (
        f"({source} keeps the simulated raters' rankings; yours go into a new run)")
    assert meant() == (str(source), "one-human", False)         # a name that is given is kept
    args.name, args.resume = None, True
    (tmp_path / "one-human").mkdir()
    assert meant() == (str(tmp_path / "one-human"), None, True)
