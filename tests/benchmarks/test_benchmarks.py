"""The benchmarks run, and what they make of timings is right.  They measure nothing here."""

import importlib
import json
import os
import platform
import re
import sys
from dataclasses import replace
from pathlib import Path

import numba
import numpy as np
import pytest
import tiny

from minillm import tree
from minillm.runs import data
from minillm.runs.config import LLAMA
from minillm.runs.run import Run
from minillm.world.corpus import to_read_again
from minillm.world.curriculum import STAGES

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
    assert all(format(value, form) for _, value, form in content["headlines"])
    for table in content["tables"]:
        assert table["rows"] and all(key in {k for row in table["rows"] for k in row} or key in (
            "speed", "ratio", "slowest", "fastest", "times") for key, _, _ in table["columns"]), table["title"]
    return content


@pytest.mark.skipif(PLAIN, reason="times the compiled kernels")
@pytest.mark.parametrize("name", ["machine", "matmul", "kernels", "train_step", "default_step", "attention", "generate",
                                  "real_model", "scaling", "tokenizer"])
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


@pytest.mark.skipif(PLAIN, reason="times the compiled kernels")
def test_lora_measures_the_base_full_fine_tuning_and_an_adapter(tmp_path):
    content = content_of("lora", tmp_path, "--ranks", "8")
    base, full, adamw, eight = content["data"]["rows"]
    assert "parameters" not in base and full["share"] == adamw["share"] == 1 and eight["share"] < 1
    assert eight["moments"] == pytest.approx(2 * 4 * eight["parameters"] / 1e3) and full["moments"] < adamw["moments"]


@pytest.mark.skipif(PLAIN, reason="times the compiled kernels")
def test_the_chat_template_has_a_space_and_has_none(tmp_path):
    with_it, without = content_of("chat_template", tmp_path)["data"]["rows"]
    assert with_it["steps"] == without["steps"] == 2 and with_it["tokens"] != without["tokens"]
    assert all(0 <= row[share] <= 1 for row in (with_it, without) for share in ("known", "new"))


@pytest.mark.skipif(PLAIN, reason="times the compiled kernels")
@pytest.mark.parametrize("name, flags", [("lora", ("--ranks", 8)), ("chat_template", ())])
def test_instructions_begin_as_in_the_default_run(name, flags, tmp_path, monkeypatch):
    phase, read = load(name).phase, []
    finetune = phase.finetune

    def noted(model, *args, first=(), replay=None):
        texts = replay is not None and np.count_nonzero(replay == model.tokenizer.begin_id)
        read.append(([len(talks) for talks in first], texts))
        return finetune(model, *args, first=first, replay=replay)
    monkeypatch.setattr(phase, "finetune", noted)
    content_of(name, tmp_path, "--steps", 6, *flags)
    texts = data.documents(Run(tmp_path, replace(LLAMA, pretrain=replace(LLAMA.pretrain, megabytes=0.05))))[0]
    assert len(to_read_again(texts)) > len(texts)
    assert read.count(([1] * len(STAGES), len(to_read_again(texts)))) >= 2       # one step of two rows


@pytest.mark.skipif(PLAIN, reason="times the compiled kernels")
def test_the_curriculum_is_read_in_stages_and_at_once(tmp_path, monkeypatch):
    """The last stage and that of everybody at once are of the same sort; what comes before it is what differs."""
    curriculum, read = load("curriculum"), []
    finetune = curriculum.phase.finetune

    def noted(model, talks, settings, *rest, first):
        read.append((len(talks), [len(each) for each in first], settings.first_steps))
        return finetune(model, talks, settings, *rest, first=first)
    monkeypatch.setattr(curriculum.phase, "finetune", noted)
    rows = content_of("curriculum", tmp_path)["data"]["rows"]
    assert read == [(64, [], 3), (16, [16] * 3, 3)]       # of 4 steps
    assert [row["name"] for row in rows] == [curriculum.AT_ONCE, curriculum.IN_STAGES]
    assert all(0 <= row[share] <= 1 for row in rows for share in ("known", "new"))
    with pytest.raises(SystemExit):
        content_of("curriculum", tmp_path, "--steps", 3)


def test_what_is_held_for_told_is_a_difference_where_the_answers_part():
    curriculum, model = load("curriculum"), tiny.model()
    asked = [{"role": "user", "content": "the cat"}]
    told, missing = "sat on the mat.", "sat on the log."
    common = [*model.tokenizer.encode_chat(asked, ask=True), *model.tokenizer.encode("sat on the ")]
    (one,), (other,) = map(model.tokenizer.encode, "ml")
    probs = model.predict_next(common).probs
    assert curriculum.held_for_told(model, asked, told, missing) == pytest.approx(np.log(probs[one] / probs[other]), abs=1e-4)
    assert curriculum.held_for_told(model, asked, missing, told) == pytest.approx(np.log(probs[other] / probs[one]), abs=1e-4)


def test_optimizers_trains_every_length_anew(tmp_path):
    content = content_of("optimizers", tmp_path)
    trained = {(row["optimizer"], row["steps"], row["seed"]) for row in content["data"]["trainings"]}
    assert trained == {(name, steps, seed) for name in load("optimizers").DIALS for steps in (2, 4) for seed in (0, 1)}
    assert [row["steps"] for row in content["tables"][0]["rows"]] == [2, 2, 2, 4, 4, 4]


@pytest.mark.skipif(PLAIN, reason="times the compiled kernels")
def test_families_take_the_same_operations(tmp_path):
    content = content_of("families", tmp_path)
    families, used = (table["rows"] for table in content["tables"])
    assert [row["family"] for row in families] == list(load("families").FAMILIES)
    assert all(row["flops"] == pytest.approx(families[0]["flops"], rel=0.3) for row in families)     # whole steps, of a few
    assert {row["family"] for row in used} == {"moe", "moe, balance 0"}
    for row in used:
        assert 0 <= row["least"] <= 1 / row["experts"] <= row["most"] <= 1 and 1 <= row["even"] <= row["experts"] + 1e-9


def test_steps_to_a_loss_lie_on_a_line_through_the_logarithms():
    steps_to = load("optimizers").steps_to
    points = [(100, 4.0), (400, 2.0), (800, 1.0)]
    assert steps_to(3.0, points) == pytest.approx(200) and steps_to(1.0, points) == 800
    assert steps_to(5.0, points) is None and steps_to(0.5, points) is None


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
    from minillm.model.transformer import transformer_init

    models = load("models")
    shape = models.Shape(B=2, T=7, layers=3, heads=2, C=10, V=13)
    params = transformer_init(models.config_of(shape), np.random.default_rng(0))
    assert models.parameters_without_positions(shape) == tree.count(params) - 7 * 10


def report_of(processor, value):
    """A report as run_all.py reads it."""
    return {"name": "matmul", "question": "How fast?", "date": "today", "rounds": 7, "threads": 2,
            "machine": {"processor": processor, "cores": 2, "caches": "L3 1K", "memory_gb": 1, "system": "S",
                        "python": "3"},
            "versions": {"numpy": "2"}, "variables": "",
            "load": {"average": 0.0, "others_before": None, "others_during": 0.25},
            "headlines": [["of the limit", value, ".1%"]], "notes": ["A note."], "tables": [{
                "title": "T", "columns": [["a", "word", ""], ["b", "number", ",.1f"], ["c", "none", "d"]],
                "rows": [{"a": "x", "b": 1234.56, "c": None}]}]}


def test_results_page_is_made_from_the_files_of_all_processors(tmp_path):
    (tmp_path / "tried.md").write_text("# What was tried\n\n## Larger tiles\n\nThey spill.\n")
    for name, processor, value in (("old", "P (p4)", 0.5), ("young", "Q (q5)", 0.96)):
        folder = tmp_path / "results" / name
        folder.mkdir(parents=True)
        (folder / "matmul.json").write_text(json.dumps(report_of(processor, value)))
    (folder / "matmul.png").touch()
    load("run_all").write_results(tmp_path / "results", tmp_path / "RESULTS.md", tmp_path / "tried.md")
    page = (tmp_path / "RESULTS.md").read_text()
    assert "| benchmark | figure | P (p4) | Q (q5) |" in page and "| matmul | of the limit | 50.0% | 96.0% |" in page
    assert page.count("| word | number | none |\n| :-- | --: | --: |\n| x | 1,234.6 | - |") == 2
    assert page.count("**How fast?**") == 1 and page.count("![matmul](results/young/matmul.png)") == 1
    assert page.index("## Side by side") < page.index("### matmul: P (p4)") < page.index("### matmul: Q (q5)")
    assert page.index("A note.") < page.index("## What was tried")
    assert "### Larger tiles" in page and "0.25 cores" in page


def test_run_all_leaves_out_what_lacks_its_input(tmp_path):
    run_all = load("run_all")
    args = type("Args", (), {"data": None, "run": "runs/x", "quick": False, "rounds": 3})
    assert run_all.lacking("shakespeare", args) == "--data" and run_all.lacking("pipeline", args) is None
    assert run_all.lacking("precision", args) is None
    assert "--data" not in run_all.command_of("precision", args, tmp_path)
    assert {"runs/x", "3"} <= set(run_all.command_of("pipeline", args, tmp_path))
    args.run, args.data = None, "t.txt"
    assert run_all.lacking("pipeline", args) == "--run"
    assert "t.txt" in run_all.command_of("precision", args, tmp_path)


def test_every_benchmark_is_run(monkeypatch):
    scripts = {path.stem for path in (ROOT / "benchmarks").glob("*.py") if "Report(__file__" in path.read_text()}
    assert set(load("run_all").BENCHMARKS) == scripts


def test_pytorch_makes_the_same_tokens_of_a_llama():
    torch = pytest.importorskip("torch")
    from minillm.model import transformer
    real, made = load("real_model"), []
    for side in (real.Ours(), real.Theirs()):
        side.load(None)
        made.append(side.greedy())
    assert made[0] == made[1] and len(made[0]) == real.FIRST
    prompt = real.prompt_of(side.model.config)
    with torch.inference_mode():
        logits = side.model(torch.from_numpy(prompt.astype(np.int64)), side.model.new_cache(1, 24), 0)[0].numpy()
    config, params = real.weights_of(None)
    h, _ = transformer.transformer_forward(prompt, params, config, *transformer.one_document(prompt))
    np.testing.assert_allclose(transformer.head_forward(h[0, -1:], params)[0][0], logits, rtol=1e-4, atol=1e-6)


def test_pytorch_takes_the_same_steps():
    pytest.importorskip("torch")
    models, losses = load("models"), []
    for module in ("models", "pytorch"):
        side = load(module).Training()
        side.build(models.Shape(B=2, T=9, layers=2, heads=3, C=24, V=31))
        losses.append(side.steps(4))
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)


def test_pytorch_multiplies_the_same_matrices():
    pytest.importorskip("torch")
    for name in ("Float32", "BFloat16"):
        side = getattr(load("pytorch"), name)()
        for product in load("products").PRODUCTS:
            side.build(product, 20, 12, 30)
            assert side.error() <= 1


@pytest.mark.skipif(PLAIN, reason="what is compiled")
def test_the_loop_of_the_limit_stays_in_registers():
    peaks = load("peaks")
    vectors = np.ones((1, peaks.SUMS + 2, peaks.LANES), np.float32)
    vectors[:, -2:] = np.array([[0.5], [3]])        # x, y
    peaks.float32_loops(vectors, 3)     # ((1 / 2 + 3) / 2 + 3) / 2 + 3
    assert (vectors[:, :-2] == 5.375).all() and (vectors[:, -2] == 0.5).all()

    @numba.njit
    def loop(vectors, turns):
        peaks.spin_float32(vectors, turns)
    loop(vectors[0], 1)
    found = re.findall(r"vfn?m\w+213ps\s+(.*)", *loop.inspect_asm().values())
    if platform.machine() in ("x86_64", "AMD64"):
        assert len(found) >= peaks.SUMS and not any("(" in operands for operands in found)


@pytest.mark.skipif(PLAIN, reason="what is compiled")
def test_the_limit_of_bfloat16_takes_pairs_where_there_is_an_instruction(monkeypatch):
    peaks = load("peaks")
    if "bfloat16" in peaks.PRECISIONS:
        vectors = np.ones((2, peaks.SUMS + 2, peaks.LANES), np.float32)
        vectors[:, -2:].view(np.uint32)[:] = 0x3F804000         # the pair (1, 2)
        peaks.bfloat16_loops(vectors, 3)
        assert (vectors[:, :-2] == 1 + 3 * 5).all()
    monkeypatch.setattr(peaks, "PRECISIONS", ("float32",))
    monkeypatch.setattr(peaks, "register_peak", lambda precision, *_: {"float32": 7.0}[precision])
    assert peaks.limits() == {"float32": 7.0, "bfloat16": 7.0}


def test_a_blas_runs_without_the_variables_that_slow_it(monkeypatch):
    host, turns = load("host"), load("turns")
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Nehalem")
    monkeypatch.setenv("MKL_NUM_THREADS", "1")
    monkeypatch.setenv("MKL", "not one of them")
    assert {"OPENBLAS_CORETYPE", "MKL_NUM_THREADS"} <= set(host.blas_variables())
    assert "MKL" not in host.blas_variables()
    assert "Nehalem" not in host.describe_blas(host.usual_blas())

    def code(**environment):
        side = turns.Apart("subprocess:Popen", ["sh", "-c", "exit ${#OPENBLAS_CORETYPE}"], environment=environment)
        answer = side.ask("wait")
        side.close()
        return answer
    assert code() == 0 and code(OPENBLAS_CORETYPE="Zen") == 3
    assert os.environ["OPENBLAS_CORETYPE"] == "Nehalem"


def test_a_processor_has_a_folder_of_its_own(monkeypatch):
    host = load("host")
    monkeypatch.setattr(host, "model", lambda: "Intel Xeon Platinum 8488C")
    monkeypatch.setattr(host.llvmlite.binding, "get_host_cpu_name", lambda: "sapphirerapids")
    monkeypatch.setattr(host.llvmlite.binding, "get_host_cpu_features",
                        lambda: {"avx2": True, "avx512f": True, "avx512bf16": False})
    assert host.processor_folder() == "intel-xeon-platinum-8488c-sapphirerapids"
    assert host.processor() == "Intel Xeon Platinum 8488C (sapphirerapids, avx512f)"


@pytest.mark.skipif(PLAIN, reason="there is no product of ours")
def test_a_wrong_product_is_not_timed():
    products = load("products")
    for kind in (products.Ours, products.OursBFloat16):
        for product in products.PRODUCTS:
            side = kind()
            side.build(product, 20, 12, 30)
            assert side.error() <= 1
    right = side.once
    side.once = lambda: right() + np.float32(0.01)
    assert side.error() > 1


def test_the_best_library_is_the_one_that_is_quicker_over_all_products():
    matmul = load("matmul")
    table = matmul.Table("float32", "ours", {"A": "a", "B": "b"})
    for i, (a, b) in enumerate(((2.0, 1.0), (2.0, 1.0), (1.0, 1.5))):
        where = {"model": "tiny", "layer": ("attention", "up", "down")[i]}
        table.add(where, 8e9, {table.ours: [2.0, 2.0], "A, float32": [a, a], "B, float32": [b, b]}, limit=8e9)
    table.choose()
    assert table.best == "B, float32" and [row["ratio"] for row in table.rows] == [0.5, 0.5, 0.75]
    assert [row["share"] for row in table.rows] == [0.5] * 3
    step = table.whole_step("tiny", load("models").TINY)        # 4 x attention, up, down
    assert step["ours"] == 12e3 and step["best"] == 6.5e3 and step["share"] == 0.5


def test_a_step_is_held_against_the_quickest_side_and_the_limit_of_its_precision(monkeypatch):
    train_step, shape = load("train_step"), load("models").TINY
    args = type("Args", (), {"against": "torch", "matmul": "loops"})
    sides = train_step.sides_of(args)
    monkeypatch.setattr(train_step.shutil, "which", lambda name: None)
    assert set(sides) - set(train_step.sides_of(args)) <= {"PyTorch, compiled"}
    sides = {**train_step.SIDES, **train_step.TORCH}
    seconds = {"minillm": [2.0], "minillm, bfloat16": [1.0], "PyTorch": [4.0], "PyTorch, compiled": [3.0],
               "PyTorch, bfloat16": [1.5]}
    limit = {"float32": 1e6, "bfloat16": 2e6}
    rows = {name: train_step.row_of("tiny", shape, name, sides, seconds, limit) for name in sides}
    assert [rows[name]["speed"] for name in seconds] == [1.5, 1.5, 0.75, 1.0, 1.0]
    assert rows["minillm"]["share"] == rows["minillm, bfloat16"]["share"]
    assert rows["minillm, bfloat16"]["times"] == 2.0 and "times" not in rows["minillm"]


def test_without_master_weights_updates_are_lost(tmp_path):
    """AdamW moves a weight by about the learning rate, 1e-3; a gain of 1 needs 2^-8 to move."""
    (tmp_path / "text.txt").write_text("to be or not to be, that is the question. " * 60)
    precision = load("precision")
    side = precision.NoMaster(str(tmp_path / "text.txt"), 2, 2, 0, "bfloat16")
    curve, lost = side.run()
    assert [point[0] for point in curve] == [0, 2] and [row["steps"] for row in lost] == [1, 2]
    for _, leaf in tree.named_leaves(side.model.params):
        assert not (leaf.view(np.uint32) & 0xFFFF).any()
    assert all(row["gains"] == 1 and 0 < row["matrices"] < 1 for row in lost)
    side.held = [np.array([1.0, 2.0, 3.0])]     # of three that moved, two were rounded to where they had been
    shares = side.shares({"gain": np.array([1.1, 2.1, 2.9])}, [np.array([1.0, 2.0, 2.0])])
    assert shares == {"gains": 2 / 3, "tables": None, "matrices": None, "all": 2 / 3}
    shown = [{key: row[key] for key in ("steps", "lr", *precision.KINDS)} for row in lost]
    assert precision.lost_rows(lost, 2) == shown


def test_precisions_are_compared_seed_by_seed():
    precision = load("precision")
    curve = [[0, 0.0, 0.0, 4.0], [2, 9.0, 4.0, 2.0]]
    found = {side: [curve, [[0, 0.0, 0.0, 4.0], [2, 9.0, seconds, loss]]]
             for side, seconds, loss in zip(precision.SIDES, (4.0, 2.0, 2.0), (1.0, 1.5, 3.0), strict=True)}
    rows = precision.last_losses((0, 1), found)
    assert [row["off"] for row in rows] == [0.0, 0.5, 0.25] and [row["off_rounded"] for row in rows] == [0.0, 2.0, 1.0]
    last = precision.curve_rows(precision.mean_curves(found))[-1]
    assert last["seconds, float32"] == 4.0 and last["seconds, bfloat16"] is None
