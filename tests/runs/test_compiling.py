"""What is compiled before the first training is what training and sampling need."""

import os
import shutil
import subprocess
import sys
from functools import partial
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest
from numba.core import event

from minillm.config import GPT2, PRECISIONS, ModelConfig
from minillm.kernels import cache
from minillm.kernels.announce import announcement
from minillm.phases.pretrain import PretrainConfig
from minillm.model.decoding import generate_tokens
from minillm.model.transformer import one_document, transformer_init
from minillm.model.scoring import token_logprobs
from minillm.runs import compiling
from minillm.runs import run as run_module
from minillm.terminal import training
from minillm.text.batches import Batch
from minillm.training.loop import train
from minillm.objectives.next_token import next_token_objective

COMPILED = os.environ.get("MINILLM_KERNELS") != "plain" and os.environ.get("NUMBA_DISABLE_JIT", "0") == "0"


class Names(event.Listener):
    """The functions that numba compiles while it listens."""

    def __init__(self):
        self.names = []

    def on_start(self, event):
        self.names.append(event.data["dispatcher"].py_func.__name__)

    def on_end(self, event):
        pass


@pytest.mark.skipif(not COMPILED, reason="nothing is compiled")
@pytest.mark.parametrize("family", ["llama", "gpt2", "moe"])
def test_a_step_and_a_sample_compile_nothing_more(family, monkeypatch):
    """Run alone it hears all; beside others, not what an earlier test of its process has compiled."""
    dials = {"llama": {}, "gpt2": {"kv_heads": 4, "hidden": 512, **GPT2}, "moe": {"hidden": 64, "experts": 4, "active_experts": 1}}
    config = ModelConfig(vocab_size=300, **dials[family])
    compiling.compile_what_models_share(), compiling.compile_the_rest(config, PRECISIONS, PRECISIONS)
    tokens = np.random.default_rng(0).integers(0, 300, (2, 2, 64)).astype(np.int32)
    batch = Batch(*tokens, np.ones((2, 64), np.float32), *one_document(tokens[0]))
    params = transformer_init(config, np.random.default_rng(0))
    prompts, settings = [tokens[0, 0, :5], tokens[0, 1, :9]], dict(end_id=0, pad_id=0, max_new_tokens=3)
    monkeypatch.setattr(cache.KernelCache, "load_overload", lambda *_: None)     # loading would not be heard
    with event.install_listener("numba:compile", Names()) as listening:
        for optimizer, precision in product(("adamw", "muon"), PRECISIONS):
            train(params, PretrainConfig(steps=1, optimizer=optimizer, precision=precision), lambda step: [batch],
                  partial(next_token_objective, config=config, precision=precision))
        generate_tokens(params, config, 40 * prompts, np.random.default_rng(0), **settings)
        generate_tokens(params, config, prompts[:1], np.random.default_rng(0), **settings)
        token_logprobs(params, config, batch, 1.0)
    assert listening.names == []


def test_a_first_training_names_its_products_and_those_of_muon(monkeypatch):
    asked, config = [], SimpleNamespace(model="a model", pretrain=PretrainConfig(optimizer="muon", precision="bfloat16"),
                                        finetune=PretrainConfig(optimizer="adamw", precision="float32"), rank=None)
    monkeypatch.setattr(training, "kernels_are_cold", lambda: True)
    monkeypatch.setattr(training, "note_slow_bfloat16", lambda: None)
    monkeypatch.setattr(training, "compile_kernels", lambda *args: asked.append(args))
    training.compile_first(SimpleNamespace(config=config), ["pretrain", "finetune", "rank"])
    training.compile_first(SimpleNamespace(config=config), ["finetune"])
    assert asked == [("a model", {"bfloat16", "float32"}, {"bfloat16"}), ("a model", {"float32"}, set())]


@pytest.mark.skipif(not COMPILED, reason="nothing is compiled")
def test_what_exists_twice_keeps_the_order_of_its_sums():
    """A helper that is not inlined has another copy in the process that compiles it (twin.inline).

    numba's own function for the body of a prange has one too, but the campaign cold_warm.py finds no
    difference between those.
    """
    config = ModelConfig()
    compiling.compile_what_models_share(), compiling.compile_the_rest(config, PRECISIONS, PRECISIONS)
    kernels = [kernel for kernel in announcement.kernels if kernel.overloads]
    assert len(kernels) > 15
    helpers = set()
    for kernel in kernels:
        for compiled in kernel.overloads.values():
            for function in compiled.library._get_module_for_linking().functions:
                own = kernel.py_func.__qualname__ in function.name or "parfor_gufunc" in function.name
                if "minillm" in function.name and not function.is_declaration and not own:
                    helpers.add(function.name)
                    assert "reassoc" not in str(function), f"{function.name} in {kernel.py_func.__name__}"
    assert helpers


def python(program, folder, **options):
    """Start a new process with its own cache of kernels."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder), "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen([sys.executable, "-c", program], env=environment, **options)


@pytest.mark.skipif(not COMPILED, reason="nothing is compiled")
def test_kernels_are_cold_until_the_cache_has_one_of_training(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path)
    assert compiling.kernels_are_cold()
    (tmp_path / f"adamw.adamw_step-{cache.versions()}-0.kernel").touch()
    assert not compiling.kernels_are_cold()


def test_kernels_are_not_cold_where_nothing_is_compiled(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path)
    monkeypatch.setenv("MINILLM_KERNELS", "plain")
    assert not compiling.kernels_are_cold()


SECOND = """
import sys
from minillm.runs import compiling
from minillm.runs import run as run_module
compiling.compile_what_models_share = lambda *_: (print("at work", flush=True), compiling.threading.Event().wait())
compiling.second_process()
"""


def test_the_second_process_ends_with_the_first(tmp_path):
    """However the first ends, a killed one too, the system closes the pipe."""
    with python(SECOND, tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as second:
        assert second.stdout.readline().split() == [b"at", b"work"]
        second.stdin.close()
        assert second.wait(timeout=60) == 1


@pytest.mark.parametrize("fails", ["cannot start", "ends at once"])
def test_without_the_second_process_the_first_goes_on(monkeypatch, fails):
    done = []
    monkeypatch.setattr(compiling, "compile_the_rest", lambda config, *_: done.append(config))
    monkeypatch.setattr(compiling, "compile_what_models_share", lambda *_: done.append("attention"))
    monkeypatch.setattr(sys, "executable", "/no/such/python" if fails == "cannot start" else shutil.which("false"))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    compiling.compile_kernels(ModelConfig())()
    assert done == (["attention", ModelConfig()] if fails == "cannot start" else [ModelConfig()])


def test_the_vocabulary_is_learned_while_the_second_process_works(monkeypatch):
    done, second = [], SimpleNamespace(wait=lambda: done.append("wait"))
    monkeypatch.setattr(compiling, "start_second_process", lambda: second)
    monkeypatch.setattr(compiling, "compile_the_rest", lambda config, *_: done.append("the rest"))
    monkeypatch.setattr(cache, "cache_folder", lambda: "somewhere")
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    for name in ("save_config", "merge_results"):
        monkeypatch.setattr(run_module, name, lambda *_: {})
    monkeypatch.setattr(run_module, "read_results", lambda _: {"seconds": {}})
    monkeypatch.setattr(run_module, "run_stage", lambda run, stage: done.append(stage.name))
    run_module.run_all(SimpleNamespace(data={}, folder="", config=None), compiling.compile_kernels(ModelConfig()))
    assert done[:4] == ["the rest", "tokenizer", "wait", "pretrain"]
