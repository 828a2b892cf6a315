"""The house: imports go one way, files stay short, and a formula is two hops from its phase."""

import ast
import sys
from pathlib import Path

import numpy as np
import pytest
import tiny

import minillm
from minillm.optim import adamw
from minillm.phases.pretrain import PretrainConfig, pretrain
from minillm.phases.rlhf import RLHFConfig, rlhf, value_heads
from minillm.runs.stages import NUMBERS, STAGES
from minillm.training.recorder import MemoryRecorder

PACKAGE = Path(minillm.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
# In the order in which data flows: a place imports from its own folder and from those before it.
ORDER = ("tree", "config", "formats", "kernels", "layers", "losses", "model", "optim", "text", "objectives",
         "training", "evaluate", "phases", "world", "runs", "library", "report", "terminal", "cli")
WORLD_IS_FOR = ("world", "runs")


def place_of(path):
    """The folder, or file, of the package's top level that a file lies in."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path):
    """The modules of the package that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "minillm":
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if (PACKAGE.parent / name.replace(".", "/")).with_suffix(".py").exists() or
                        (PACKAGE.parent / name.replace(".", "/")).is_dir() else node.module for name in names)
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("minillm"))


@pytest.mark.parametrize("path", [path for path in FILES if place_of(path) in ORDER],
                         ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_one_way(path):
    here = ORDER.index(place_of(path))
    for module in imported(path):
        there = (module.split(".") + [""])[1]
        if there in ORDER:
            assert ORDER.index(there) <= here, f"{path.name} imports {module}, which comes after it"
            assert there != "world" or place_of(path) in WORLD_IS_FOR, f"{path.name} reaches into the world"


def test_every_place_is_in_the_order():
    assert {place_of(path) for path in FILES} - {"__init__", "__main__"} == set(ORDER)


def test_no_two_files_import_each_other():
    edges = {}
    for path in FILES:
        name = ".".join(("minillm", *path.relative_to(PACKAGE).with_suffix("").parts))
        edges[name] = {module for module in imported(path) if module != name}

    def visit(name, trail):
        assert name not in trail, " -> ".join((*trail, name))
        if name not in done:
            for module in edges.get(name, ()):
                visit(module, (*trail, name))
            done.add(name)
    done = set()
    for name in edges:
        visit(name, ())


@pytest.mark.parametrize("path", [path for ending in ("py", "j2", "css", "js") for path in sorted(PACKAGE.rglob(f"*.{ending}"))],
                         ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_are_short_and_lines_fit_beside_a_lesson(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 300
    assert [number for number, line in enumerate(lines, 1) if len(line) > 100] == []


def test_a_stage_has_one_name_everywhere():
    for stage in STAGES:
        assert (PACKAGE / "phases" / f"{stage.name}.py").exists()
        assert not stage.sections or stage.name in stage.sections
        assert any(left.split("/")[0].startswith(stage.name) for left in stage.paths)
    assert len(set(NUMBERS.values())) == len(STAGES) + 1, "a stage has the number of another, or of the evaluation"


def frames_between(first, call, monkeypatch):
    """Names of the functions on the stack from the file `first` down to adamw_step."""
    seen = []

    def step(*args):
        frame, names = sys._getframe(1), []
        while frame is not None:
            names.append((Path(frame.f_code.co_filename), frame.f_code.co_name))
            frame = frame.f_back
        outer = max(at for at, (path, _) in enumerate(names) if path == PACKAGE / first)
        seen.append([name for _, name in names[:outer + 1]][::-1])
    monkeypatch.setattr(adamw, "adamw_step", step)
    call()
    return seen[0]


def test_four_frames_from_a_phase_to_the_optimizers_kernel(monkeypatch):
    """A reader who steps into the optimizer climbs through no machinery."""
    model = tiny.model(fresh=True)
    stream = np.tile(tiny.tokenizer().encode(tiny.TEXT), 3)
    settings = PretrainConfig(steps=1, rows=2, validation_every=1)
    frames = frames_between("phases/pretrain.py", lambda: pretrain(
        model, stream, stream[:50], settings, 0, MemoryRecorder()), monkeypatch)
    assert frames == ["pretrain", "fit", "train", "adamw_update"]
    settings = RLHFConfig(steps=1, rows=2, epochs=1, max_new_tokens=2)
    frames = frames_between("phases/rlhf.py", lambda: rlhf(
        model, value_heads(model, 0), tiny.prompts(), lambda sequences, _: np.ones(len(sequences), np.float32),
        settings, 0, MemoryRecorder()), monkeypatch)
    assert frames == ["rlhf", "fit", "train", "adamw_update"]


@pytest.mark.parametrize("path", sorted(Path(__file__).parent.rglob("test_*.py")), ids=lambda path: path.name)
def test_no_test_hides_another_of_the_same_name(path):
    names = [node.name for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)]
    assert sorted(set(names)) == sorted(names)
