"""The benchmarks run, and what they make of timings is right.  They measure nothing here."""

import importlib
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
PLAIN = os.environ.get("MINILLM_KERNELS") == "plain" or os.environ.get("NUMBA_DISABLE_JIT") == "1"


@pytest.fixture(autouse=True)
def path(monkeypatch):
    """The benchmarks are scripts: their folder is on the path while they run, and their names go with it."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if Path(getattr(sys.modules[name], "__file__", None) or "/").parent == ROOT / "benchmarks":
            del sys.modules[name]


def load(name):
    """A module of the benchmarks."""
    return importlib.import_module(name)


def content_of(name, folder, *flags):
    """What a benchmark writes with --quick, checked for what every one must have."""
    path = folder / f"{name}.json"
    load(name).main(["--quick", "--json", str(path), *map(str, flags)])
    content = json.loads(path.read_text())
    assert content["name"] == name and content["question"].endswith("?")
    assert {"machine", "versions", "threads", "load", "date", "flags", "rounds", "notes", "data"} <= content.keys()
    assert {"minillm", "commit", "numpy", "blas", "numba"} <= content["versions"].keys()
    for table in content["tables"]:
        assert table["rows"] and all(key in {k for row in table["rows"] for k in row} or key in (
            "speed", "ratio", "slowest", "fastest") for key, _, _ in table["columns"]), table["title"]
    return content


@pytest.mark.skipif(PLAIN, reason="times the compiled kernels")
@pytest.mark.parametrize("name", ["matmul", "kernels", "train_step", "attention", "generate", "scaling",
                                  "tokenizer"])
def test_runs_quickly(name, tmp_path):
    if name == "matmul" and os.environ.get("MINILLM_MATMUL") == "blas":
        pytest.skip("there is no product of ours to time")
    content = content_of(name, tmp_path)
    numbers = [value for table in content["tables"] for row in table["rows"] for value in row.values()
               if isinstance(value, float)]
    assert numbers and np.isfinite(numbers).all()


@pytest.mark.skipif(PLAIN, reason="times the compiled kernels")
def test_shakespeare_records_a_curve(tmp_path):
    (tmp_path / "text.txt").write_text("to be or not to be, that is the question. " * 60)
    curve = content_of("shakespeare", tmp_path, "--data", tmp_path / "text.txt")["data"]["curves"]["minillm"]
    assert [point[0] for point in curve] == [0, 2, 4]
    assert all(wall >= training for _, wall, training, _ in curve)


def test_time_to_the_target_lies_on_the_line_between_two_evaluations():
    reached = load("shakespeare").reached
    curve = [(0, 0.0, 0.0, 4.0), (1, 10.0, 9.0, 2.0), (2, 30.0, 27.0, 1.0)]
    assert reached(curve, 1.5) == 20.0 and reached(curve, 2.0) == 10.0 and reached(curve, 0.5) is None


def test_pipeline_divides_all_seconds(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tests" / "report"))
    run = importlib.import_module("made_up_run").write_run(tmp_path / "run")
    rows = content_of("pipeline", tmp_path, run)["tables"][0]["rows"]
    for row in rows:
        assert sum(row[part] for part in load("pipeline").PARTS) == pytest.approx(row["total"])
    assert rows[-1]["total"] == 372.0


def test_pipeline_tells_sampling_and_first_steps_from_usual_ones():
    seconds = [9.0, 1.0] + [3.0, 1.0] * 10      # a rollout every second step; the first step compiles for 6 s
    records = [{"step": step, "seconds": taken, "evaluate_seconds": 0.5} for step, taken in enumerate(seconds)]
    parts = load("pipeline").divide(records, epochs=2)
    assert parts == pytest.approx({"steps": 22.0, "first": 6.0, "sampling": 22.0, "looks": 11.0})


def test_statistics():
    common = load("common")
    sizes = [1, 2, 4, 8]
    assert common.fit_exponent(sizes, [3 * size**1.5 for size in sizes]) == pytest.approx(1.5)
    assert common.geometric_mean([0.5, 2.0, 8.0]) == pytest.approx(2.0)
    assert common.pair_ratios([2.0, 6.0], [1.0, 2.0]) == [2.0, 3.0]
    assert common.spread([1.0, 2.0, 3.0, 4.0, 5.0]) == pytest.approx(2 / 3)
    with pytest.raises(ValueError):
        common.pair_ratios([1.0], [1.0, 2.0])


def test_functions_are_timed_in_turn():
    common, calls = load("common"), []
    seconds = common.alternate({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, 3, quick=True)
    assert {name: len(taken) for name, taken in seconds.items()} == {"a": 3, "b": 3}
    assert "".join(calls[-12:]) == "aabb" * 3       # of each pair the first is not timed


def test_sides_are_asked_in_turn():
    turns, calls = load("turns"), []

    class Side:
        def __init__(self, name):
            self.name = name

        def ask(self, method, n):
            calls.append(self.name)
            return n
    assert turns.take_turns({"a": Side("a"), "b": Side("b")}, 2, "seconds", 5) == {"a": [5, 5], "b": [5, 5]}
    assert "".join(calls) == "abab"


def test_a_side_of_its_own_has_its_variables_and_reports_its_errors():
    side = load("turns").Apart("subprocess:Popen", ["sh", "-c", "exit $CODE"], environment={"CODE": "3"})
    assert side.ask("wait") == 3 and "CODE" not in os.environ
    with pytest.raises(RuntimeError, match="AttributeError"):
        side.ask("nothing")
    side.close()


def test_operations_count_the_parameters_that_there_are():
    from minillm import tree
    from minillm.model.transformer import transformer_init

    models = load("models")
    shape = models.Shape(B=2, T=7, layers=3, heads=2, C=10, V=13)
    params = transformer_init(models.config_of(shape), np.random.default_rng(0))
    assert models.parameters_without_positions(shape) == tree.count(params) - 7 * 10


def test_results_page_is_made_from_the_files(tmp_path):
    run_all = load("run_all")
    (tmp_path / "tried.md").write_text("# What was tried\n\n## Larger tiles\n\nThey spill.\n")
    report = {"name": "matmul", "question": "How fast?", "date": "today", "rounds": 7, "threads": 2,
              "machine": {"processor": "P", "cores": 2, "memory_gb": 1, "system": "S", "python": "3"},
              "versions": {"numpy": "2"}, "variables": "",
              "load": {"average": 0.0, "others_before": None, "others_during": 0.25},
              "notes": ["A note."], "tables": [{
                  "title": "T", "columns": [["a", "word", ""], ["b", "number", ",.1f"], ["c", "none", "d"]],
                  "rows": [{"a": "x", "b": 1234.56, "c": None}]}]}
    (tmp_path / "matmul.json").write_text(json.dumps(report))
    run_all.write_results(tmp_path, tmp_path / "RESULTS.md", tmp_path / "tried.md")
    page = (tmp_path / "RESULTS.md").read_text()
    assert "| word | number | none |\n| :-- | --: | --: |\n| x | 1,234.6 | - |" in page
    assert page.index("## matmul") < page.index("A note.") < page.index("## What was tried")
    assert "### Larger tiles" in page and "0.25 cores" in page


def test_run_all_leaves_out_what_lacks_its_input(tmp_path):
    run_all = load("run_all")
    args = type("Args", (), {"data": None, "run": "runs/x", "compile": False, "quick": True})
    assert run_all.command_of("shakespeare", args, tmp_path) is None
    assert "runs/x" in run_all.command_of("pipeline", args, tmp_path)


def test_pytorch_takes_the_same_steps():
    pytest.importorskip("torch")
    models, losses = load("models"), []
    for module in ("models", "pytorch"):
        side = load(module).Training()
        side.build(models.Shape(B=2, T=9, layers=2, heads=3, C=24, V=31))
        losses.append(side.steps(4))
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)
