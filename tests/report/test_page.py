"""The page: whole, without a network, and safe whatever a model says."""

import base64
import hashlib
import os
import re
from html.parser import HTMLParser

import pytest

from minillm.report import page, write_report
from minillm.report.samples import PARTS
from made_up_run import RESULTS, SAMPLES, records, write_run

NO_SAMPLES = dict.fromkeys(PARTS)
VOID = ("meta", "br", "link", "img", "input", "hr", "wbr")


class Balance(HTMLParser):
    """Checks that every element is closed in its turn, and gathers names and references."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.ids, self.references, self.tags, self.attributes = [], [], [], [], set()
        self.feed(text)
        assert self.open == [], self.open

    def handle_starttag(self, tag, attrs):
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name == "id":
                self.ids.append(value)
            if name in ("href", "xlink:href", "src"):
                self.references.append(value)
            self.references += [f"#{found}" for found in re.findall(r"url\(#([^)]+)\)", value or "")]

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag, f"{tag} closed at {self.getpos()}"


def report(folder):
    return write_report(folder).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """The page of a run with all phases."""
    return report(write_run(tmp_path_factory.mktemp("runs") / "first"))


def test_whole_page(text):
    plain = " ".join(text.split())
    for words in ("run first</p>", "1,000,576 random numbers", "2,048", "700,000 tokens", "One prompt, three models",
                  "What each stage achieved", "Noise turns into sentences", "What surprises it", "block 2, head 3",
                  "1. Pretraining", "Five probes", "Sensible answers, by kind of question", "two numbers",
                  "harmless ones that sound alike", "The same prompts, before and after", "14 more",
                  "The four steps on one prompt", "7 of 1,334 held-out rankings", "A simulated rater ranks them",
                  "Pair accuracy", "55% to 70% with 95% confidence", ">3.25<", "rlhf.<wbr>win_<wbr>rate", "kv_<wbr>heads", "6.2 min"):
        assert words in plain, words
    assert text.count("<svg") == 14 and "has not run" not in text
    assert len(text) < 500_000


def test_opens_with_the_answers_and_ends_with_the_time(text):
    order = ("One prompt, three models", "What each stage achieved", "Noise turns into sentences", "How it reads",
             'id="pretraining"', 'id="fine-tuning"', 'id="alignment"', 'id="numbers"', "The training from inside",
             "Where the time went</h3>")
    places = [text.index(words) for words in order]
    assert places == sorted(places)


def test_page_is_well_formed_and_needs_no_network(text):
    found = Balance(text)
    assert len(found.ids) == len(set(found.ids))
    assert all(reference.startswith("#") for reference in found.references)
    assert {reference[1:] for reference in found.references} <= set(found.ids)
    assert not set(found.tags) & {"link", "img", "iframe", "object"}
    addresses = set(re.findall(r"https?://[^\"' <]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "@import" not in text


def test_no_script_may_run_but_the_pages_own(text):
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = " ".join(re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1].split())
    assert policy == f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"


def test_what_models_say_is_text(text):
    found = Balance(text)
    assert found.tags.count("script") == 1 and not any(name.startswith("on") for name in found.attributes)
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &#34;&#39; onclick=alert(1) &amp; $" in text
    assert "{{ 7 * 7 }}" in text                        # and no template of the reader's
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]", text)


def test_all_that_a_script_would_show_is_on_the_page_without_one(text):
    for step in (0, 9, 59):
        assert f"wrote at {step} &lt;script" in text
    assert '3.2 nats; likeliest: &lt;script' in " ".join(text.split()) and "her looks at &lt;script" in text
    assert re.search(r"<title>step 20: training 5\.\d+, validation 5\.2</title>", text)
    assert not {"hidden", "src"} & Balance(text).attributes


def test_same_run_same_page(tmp_path, text):
    assert report(write_run(tmp_path / "first")) == text


@pytest.mark.parametrize("phases, missing", [
    ((), ("pretrain", "finetune", "reward", "rlhf")), (("pretrain",), ("finetune", "reward", "rlhf")),
    (("pretrain", "finetune"), ("reward", "rlhf")), (("pretrain", "finetune", "reward"), ("rlhf",))])
def test_phases_that_have_not_run_leave_a_remark(tmp_path, phases, missing):
    kept = {name: part for name, part in RESULTS.items() if name in phases}
    text = report(write_run(tmp_path / "part", phases, kept, NO_SAMPLES))
    Balance(text)
    assert [verb for verb in ("pretrain", "finetune", "reward", "rlhf")
            if f"<code>minillm {verb}</code>" in text] == list(missing)


def test_readers_own_text_has_no_probes(tmp_path):
    config = {"seed": 0, "data": {"pretrain": "/home/somebody/my <text>.txt"}}
    kept = {name: part for name, part in RESULTS.items() if name in ("tokenizer", "pretrain", "seconds")}
    kept["pretrain"] = {name: part for name, part in kept["pretrain"].items() if name != "probes"}
    text = report(write_run(tmp_path / "own", ("pretrain",), kept, NO_SAMPLES, config))
    assert "this model read another text" in " ".join(text.split())
    assert "my &lt;text&gt;.txt" in text and "somebody" not in text


def test_answers_without_gold_show_none(tmp_path):
    rows = [{**row, "answers": {name: {"text": "yes", "gold": None} for name in row["answers"]}}
            for row in SAMPLES["answers"][:2]]
    text = report(write_run(tmp_path / "own", ("finetune",), {}, {**NO_SAMPLES, "answers": rows}))
    assert "The same prompts" in text
    assert 'class="gold"' not in text and "gold score of the answer" not in text


def test_training_without_samples_has_no_film(tmp_path):
    folder = write_run(tmp_path / "old", ("pretrain",), {}, NO_SAMPLES)
    lines = [record for record in records("pretrain") if "sample" not in record]
    (folder / "pretrain" / "metrics.jsonl").write_text("".join(f"{line}\n".replace("'", '"') for line in lines))
    assert "Noise turns" not in report(folder)


def test_numbers_that_were_not_measured_are_left_out(tmp_path):
    kept = {**RESULTS, "finetune": {"instruction_accuracy": {"base": 0.0, "finetuned": 1.0}}, "rlhf": {"kl": 1.0}}
    text = report(write_run(tmp_path / "part", ("finetune", "rlhf"), kept))
    Balance(text)
    assert "right answers" in text and "by kind of question" not in text and "should not" not in text


def test_folder_that_is_no_run(tmp_path):
    with pytest.raises(ValueError, match="no run.json"):
        write_report(tmp_path)
    assert not list(tmp_path.iterdir())


def test_samples_are_made_anew_only_behind_a_newer_checkpoint(tmp_path, monkeypatch):
    folder, calls = write_run(tmp_path / "first", (), {}), []

    def collect(run):
        calls.append(run.config.seed)
        return SAMPLES
    monkeypatch.setattr(page, "collect_samples", collect)
    step = folder / "finetune" / "step-000010"
    step.mkdir(parents=True)
    (step / "model.safetensors").write_bytes(b"")
    now = (folder / "samples.json").stat().st_mtime
    os.utime(step / "model.safetensors", (now - 60, now - 60))
    write_report(folder)
    assert calls == []
    os.utime(step / "model.safetensors", (now + 60, now + 60))
    write_report(folder)
    assert calls == [3]
    (folder / "samples.json").unlink()
    write_report(folder)
    assert calls == [3, 3]
