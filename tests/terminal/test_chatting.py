"""minillm chat: commands, a context that slides by whole turns, Ctrl-C, and a terminal of its own."""

import io
import os
import re
import select
import subprocess
import sys

import numpy as np
import pytest
import tiny

from minillm.cli import main
from minillm.model.language_model import LanguageModel
from minillm.runs import data
from minillm.runs.config import PRESETS
from minillm.runs.proposals import things_to_ask
from minillm.runs.run import Run
from minillm.terminal import chatting
from minillm.terminal.chatting import Conversation, Stop
from minillm.text.tokenizer import Tokenizer
from minillm.training.checkpoint import save_checkpoint

SAMPLING = dict(max_new_tokens=4, temperature=1.0, top_k=0, top_p=1.0)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """The folder of one run with a base and a fine-tuned model."""
    root = tmp_path_factory.mktemp("runs")
    for seed, stage in enumerate(("pretrain", "finetune")):
        save_checkpoint(root / "run" / stage, 1, tiny.model(seed=seed, fresh=True, context=64))
    return root


@pytest.fixture
def talk(root):
    return Conversation(tiny.model(fresh=True, context=64), root / "run" / "finetune" / "step-000001", SAMPLING, 0)


def said(talk, capsys, *lines):
    """What is printed after lines of the user."""
    capsys.readouterr()
    for line in lines:
        if line.startswith("/"):
            print(chatting.obey(talk, line))
        else:
            talk.respond(line)
    return capsys.readouterr().out


def test_a_pipe_is_echoed_and_its_commands_are_obeyed(root, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("the cat\n\n  \n/hepl\n/base\nthe cat\n/quit\nthe dog\n"))
    assert main(["chat", "run", "--root", str(root), "--max-new-tokens", "3"]) == 0
    out = capsys.readouterr().out
    assert re.findall("you> (.*)", out) == ["the cat", "/hepl", "/base", "the cat", "/quit"]
    assert out.count("model> ") == 2 and "(there is no /hepl; did you mean /help?)" in out
    assert "never a conversation" in out and "try:" not in out


def test_an_answer_is_that_of_the_model_and_is_remembered(talk, capsys):
    model, question = talk.model, [{"role": "user", "content": "the cat"}]
    rng = np.random.default_rng(0)
    (first,), _ = model.answer([question], rng, **SAMPLING)
    assert said(talk, capsys, "the cat") == f"model> {first}\n"
    asked = [*question, {"role": "assistant", "content": first}, {"role": "user", "content": "a dog"}]
    (second,), _ = model.answer([asked], rng, **SAMPLING)
    assert said(talk, capsys, "a dog") == f"model> {second}\n"
    assert [message["content"] for message in talk.turns] == ["the cat", first, "a dog", second]


def test_an_answer_that_fills_the_context_uses_no_more_tokens_than_it_has(talk, capsys, monkeypatch):
    monkeypatch.setattr(talk.model, "pieces", lambda *_, **__: iter(["the cat sat " * 40]))
    assert "(64 of the context's 64 tokens are used" in said(talk, capsys, "the cat")


def test_the_context_slides_by_whole_turns_and_keeps_the_system_prompt(talk, capsys):
    talk.set_system("sat on")
    out = said(talk, capsys, *["the cat sat"] * 8)
    assert out.count("of the context's 64 tokens are used") == 1, "one warning"
    assert out.count("(the context of 64 tokens is full: the oldest question and answer are forgotten)") >= 4
    assert out.index("are used") < out.index("is full") and out.count("model> ") == 8
    assert [message["role"] for message in talk.turns] == ["user", "assistant"] * (len(talk.turns) // 2)
    assert talk.system[0]["content"] == "sat on" and len(talk.turns) < 8
    turns = list(talk.turns)
    assert "model> (that line is too long: 7" in said(talk, capsys, "a cat. " * 9), "with the system prompt, 8 + 3 + 63"
    assert talk.turns == turns, "a line that is refused forgets nothing"
    out = said(talk, capsys, "the cat sat on the mat. the cat sat")
    assert re.search(r"the \d oldest questions and answers are forgotten", out) and len(talk.turns) == 2


def test_commands(talk, capsys):
    assert said(talk, capsys, "/why") == "(there is no answer yet)\n"
    assert all(command in said(talk, capsys, "/help") for command in chatting.COMMANDS)
    said(talk, capsys, "the cat")
    assert said(talk, capsys, "/system sat on the mat") == "(a new conversation, with the system prompt)\n" and not talk.turns
    assert talk.tokens([{"role": "user", "content": "a"}]).tolist()[1] == talk.model.tokenizer.system_id
    assert "it must leave room for a question" in said(talk, capsys, "/system " + "the cat " * 8)
    said(talk, capsys, "the cat")
    assert "not in this vocabulary" in said(talk, capsys, "/system CAT") and talk.system and talk.turns
    said(talk, capsys, "the cat")
    assert said(talk, capsys, "/reset") == "(a new conversation, with the system prompt)\n"
    assert talk.turns == [] and talk.last is None and talk.system
    assert said(talk, capsys, "/system") == "(a new conversation, without a system prompt)\n" and not talk.system
    assert "there is no /; known" in said(talk, capsys, "/")


def test_another_model_goes_on_with_the_same_conversation(talk, root, capsys):
    said(talk, capsys, "the cat")
    turns = list(talk.turns)
    assert said(talk, capsys, "/base") == f"({chatting.NO_ASSISTANT})\n" and talk.name == "base"
    base = tiny.model(seed=0, fresh=True, context=64)
    assert np.array_equal(talk.model.params["embedding"]["token"], base.params["embedding"]["token"])
    said(talk, capsys, "a dog")
    assert talk.turns[:2] == turns and len(talk.turns) == 4
    assert said(talk, capsys, "/finetuned") == "(the finetuned model answers)\n"
    assert said(talk, capsys, "/aligned") == f"({root / 'run'} has no aligned model; it has: base, finetuned)\n"
    assert talk.name == "finetuned"
    alone = Conversation(base, root / "my-model", SAMPLING, 0)
    assert "is a single model" in said(alone, capsys, "/base") and alone.name == "my-model"


def test_why_shows_the_words_of_the_answer_that_was_given(talk, capsys, monkeypatch):
    monkeypatch.setattr(LanguageModel, "pieces", lambda *_, **__: iter(["the ", "cat."]))
    said(talk, capsys, "a dog")
    out = said(talk, capsys, "/why")
    assert re.findall(r"^(the first word|after .*):$", out, re.MULTILINE) == ["the first word", "after 'the'", "after 'the cat'"]
    rows = [float(p) for p in re.findall(r"([\d.]+)%", out)]
    assert len(rows) == 3 * chatting.LIKELIEST and rows[:4] == sorted(rows[:4], reverse=True)
    asked = talk.model.tokenizer.encode_chat([{"role": "user", "content": "a dog"}])
    (word, p), = chatting.next_words(talk.model, asked, 1)
    assert f"{100 * p:.1f}%" in out.splitlines()[1] and chatting.shown(word, "") in out.splitlines()[1]
    monkeypatch.setattr(chatting, "LEAST", 1.0)
    assert said(talk, capsys, "/why").count("%") == 3, "the likeliest word is shown at any probability"
    monkeypatch.setattr(LanguageModel, "pieces", lambda *_, **__: iter([]))
    assert said(talk, capsys, "/reset", "a", "/why").count("first word") == 1, "an answer without a word"


def test_why_goes_on_from_the_tokens_that_were_said(talk, capsys, monkeypatch):
    """Where the template has a space before the answer, its first token has it."""
    monkeypatch.setattr(LanguageModel, "pieces", lambda *_, **__: iter([" the ", "cat."]))
    monkeypatch.setattr(Tokenizer, "indent", " ")
    assert said(talk, capsys, "a dog") == "model> the cat.\n"
    out, tokenizer = said(talk, capsys, "/why"), talk.model.tokenizer
    asked = tokenizer.encode_chat([{"role": "user", "content": "a dog"}])
    for before, tokens in (("the first word", []), ("after 'the'", tokenizer.encode(" the"))):
        (word, p), = chatting.next_words(talk.model, np.concatenate([asked, tokens]).astype(np.int32), 1)
        assert f"{before}:\n" in out and f"{100 * p:.1f}%" in out.split(f"{before}:\n")[1].splitlines()[0]


def test_ctrl_c_stops_the_answer_and_keeps_what_was_said(talk, capsys, monkeypatch):
    def stopped(pieces):
        yield from pieces
        raise Stop
    monkeypatch.setattr(LanguageModel, "pieces", lambda *_, **__: stopped(["the ", "cat"]))
    assert said(talk, capsys, "a dog") == "model> the cat (stopped)\n"
    assert talk.turns[1]["content"] == "the cat"
    monkeypatch.setattr(LanguageModel, "pieces", lambda *_, **__: stopped([]))
    assert said(talk, capsys, "a dog") == "model>  (stopped)\n" and len(talk.turns) == 2


def test_an_answer_with_bytes_that_are_no_text(talk, capsys, monkeypatch):
    """They are shown safely, and the next question, which repeats the answer, can still be encoded."""
    monkeypatch.setattr(LanguageModel, "pieces", lambda *_, **__: iter(["a\ufffd", "t"]))
    assert said(talk, capsys, "a", "a") == 2 * "model> a\ufffdt\n" and talk.turns[1]["content"] == "at"
    monkeypatch.setattr(chatting.Conversation, "warn", lambda *_: None)
    monkeypatch.setattr(LanguageModel, "pieces", lambda *_, **__: iter(["a\x1b[2J"]))
    assert said(talk, capsys, "a") == "model> a\ufffd[2J\n"


def test_a_run_proposes_what_its_model_answers_well(tmp_path, monkeypatch):
    """On the embedded world only questions that were answered well; on own data, first messages."""
    run = Run(tmp_path, PRESETS["llama"])

    class Knowing:
        """Answers every second question right."""
        def chat(self, asked):
            self.asked = [messages[0]["content"] for messages in asked]
            return [truth[text] if number % 2 else "no" for number, text in enumerate(self.asked)]
    drawn = data.training_requests(run, 60, run.rng("evaluation", 1))
    truth = {request.question: request.sentence for request in drawn}
    model = Knowing()
    asked = things_to_ask(run, model)
    assert asked == model.asked[1:6:2] and asked == things_to_ask(run, model)
    assert len({request.kind for request in drawn if request.question in asked}) == 3
    talks = [[{"role": "user", "content": text}, {"role": "assistant", "content": "a"}]
             for text in ("the cat", "the cat", "a\nb", "a" * 90, "a dog")]
    monkeypatch.setattr(data, "conversations", lambda *_: (talks, []))
    assert things_to_ask(run._replace(data={"finetune": "talk.jsonl"}), model) == ["the cat", "a dog"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo-terminals")
def test_in_a_terminal(root):
    """A greeting, an empty line, Ctrl-C at the prompt, the arrow keys' history, Ctrl-D."""
    import pty

    master, slave = pty.openpty()
    code = ("import fcntl, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); from minillm.cli import main; "
            "sys.exit(main(sys.argv[1:]))")      # first the terminal becomes that of the process, for Ctrl-C
    child = subprocess.Popen([sys.executable, "-c", code, "chat", "run", "--root", str(root), "--max-new-tokens", "3"],
                             stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                             env={**os.environ, "TERM": "xterm"})
    os.close(slave)
    seen = ""

    def until(text, count):
        nonlocal seen
        while seen.count(text) < count:
            assert select.select([master], [], [], 120)[0], f"waits for ever after {seen!r}"
            seen += os.read(master, 1000).decode()
    try:
        until("you> ", 1)
        os.write(master, b"\n")
        until("you> ", 2)
        os.write(master, b"the cat\n")
        until("you> ", 3)
        while "/quit ends)" not in seen:    # a Ctrl-C just before readline waits for a key, waits for that key
            os.write(master, b"\x03")
            if select.select([master], [], [], 5)[0]:
                seen += os.read(master, 1000).decode()
        until("you> ", 4)
        os.write(master, b"\x1b[A\n")
        until("model> ", 2)
        until("you> ", 5)
        os.write(master, b"\x04")
        assert child.wait() == 0
    finally:
        child.kill()
        child.wait()
        os.close(master)
    assert "The finetuned model of " in seen and "(Ctrl-D or /quit ends)" in seen
    answers = re.findall(r"model> (.*)\r", seen)
    assert len(answers) == 2, seen
