"""Memory before work: the estimate against what is there, in a container too, for every verb that can be given too much."""

import inspect
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import tiny
from campaigns import memory as campaign

from minillm.cli import main
from minillm.config import ModelConfig, updated
from minillm.evaluate.likelihood import examples_loss, stream_loss
from minillm.model import size
from minillm.model.at_once import AT_ONCE
from minillm.model.language_model import LanguageModel
from minillm.model.transformer import one_document, transformer_forward, transformer_init
from minillm.phases.reward import reward_scores
from minillm.runs import checks, data, memory
from minillm.runs.config import RunConfig
from minillm.runs.imported import config_of
from minillm.runs.run import Run
from minillm.runs.stages import BY_NAME
from minillm.terminal.flags import MAX_NEW_TOKENS
from minillm.text.learning import train_tokenizer
from minillm.training.checkpoint import save_checkpoint
from minillm.world.conversations import conversation_texts

HUGE = [("pretrain", ["--rows", "100000000"]), ("pretrain", ["--megabytes", "1e7"]), ("run", ["--rlhf.rows", "100000000"]),
        ("finetune", ["--rows", "10000000"]), ("finetune", ["--replay-rows", "100000000"]),
        ("finetune", ["--conversations", "1000000000"]), ("rank", ["--prompts", "1000000000"]),
        ("rank", ["--responses", "100000000"]), ("reward", ["--rows", "1000000"]), ("rlhf", ["--rows", "100000000"]),
        ("rlhf", ["--prompts", "1000000000"]), ("trace", ["--rows", "1000000000"]), ("trace", ["--rows", "100000"])]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A run in which every stage has left something."""
    root, model = tmp_path_factory.mktemp("runs"), tiny.model(fresh=True)
    for name in ("pretrain", "finetune", "reward"):
        save_checkpoint(root / "run" / name, 1, model, {}, {})
    (root / "run" / "rank").mkdir()
    line = '{"prompt": [{"role": "user", "content": "a"}], "responses": ["b", "c"], "ranks": [1, 2], "rater": "simulated"}\n'
    for name in ("rankings", "held_out"):
        (root / "run" / "rank" / f"{name}.jsonl").write_text(2 * line, encoding="utf-8")
    (root / "run" / "run.json").write_text("{}", encoding="utf-8")
    return root


@pytest.mark.parametrize("verb,words", HUGE)
def test_more_than_the_machine_has_is_refused_before_anything_is_written(verb, words, root, capsys):
    before = sorted(root.rglob("*"))
    where = [] if verb == "trace" else ["--root", str(root), "--name", "other"]
    source = ["run"] if verb in ("finetune", "rank", "reward", "rlhf") else []
    assert main([verb, *source, *words, *where]) == 2
    said = capsys.readouterr().err
    assert re.fullmatch(r"minillm: .* would need about [\d,.]+ GB of memory, and .* [\d,.]+ GB; lower [^\n]+\n", said), said
    assert words[0].strip("-").rpartition(".")[2].replace("-", "_") in said.replace("-", "_")
    assert sorted(root.rglob("*")) == before


def test_the_size_of_the_world_does_not_count_for_a_text_of_the_user(capsys, tmp_path):
    assert main(["pretrain", "--root", str(tmp_path), "--megabytes", "1e7", "--data", "missing.txt"]) == 2
    assert "missing.txt: no such file" in capsys.readouterr().err


def test_too_many_continuations_are_refused(root, capsys):
    assert main(["generate", "run", "a", "--count", "1000000000", "--root", str(root)]) == 2
    assert "1,000,000,000 continuations would need about" in capsys.readouterr().err


def machine(folder, lines, files):
    """A folder with the files in which Linux states the limits of control groups."""
    for name, text in {"proc/self/cgroup": lines, **{f"sys/fs/cgroup/{name}": text for name, text in files.items()}}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("lines,files,limits", [
    ("0::/pod/box\n", {"pod/box/memory.max": "1000\n", "pod/memory.max": "800\n", "memory.max": "max\n"}, [1000, 800]),
    ("0::/\n", {"memory.max": "700\n"}, [700]),
    ("0::/of/the/host\n", {"memory.max": "600\n"}, [600]),                  # the path means nothing inside a container
    ("5:cpu:/a\n4:memory:/a\n0::/\n", {"memory/a/memory.limit_in_bytes": "500\n",
                                       "memory/memory.limit_in_bytes": "9223372036854771712\n"}, [500, 9223372036854771712]),
    ("3:cpu,memory:/\n", {"memory/memory.limit_in_bytes": "400\n"}, [400]),
    ("0::/\n", {"memory.max": "max\n"}, []), ("", {}, []),
], ids=["v2 nested", "v2 root", "v2 host's path", "v1", "v1 joint", "no limit", "no group"])
def test_the_limits_of_a_container(lines, files, limits, tmp_path):
    assert list(checks.group_limits(machine(tmp_path, lines, files))) == limits


def test_the_smallest_limit_counts(tmp_path, monkeypatch):
    there, whose = checks.memory_limit(machine(tmp_path, "0::/\n", {"memory.max": "3000000\n"}))
    assert there == 3_000_000 and "container" in whose
    monkeypatch.setattr(checks, "memory_limit", lambda: (there, whose))
    with pytest.raises(ValueError, match="rank would need about .* and its control group .container. allows 0.0 GB; lower rank.prompts"):
        checks.check_memory(BY_NAME["rank"], RunConfig())
    resource = pytest.importorskip("resource")
    monkeypatch.undo()
    monkeypatch.setattr(resource, "getrlimit", lambda which: (2_000_000, 2_000_000))
    assert checks.memory_limit(tmp_path) == (2_000_000, "the limit of its address space (ulimit -v) allows")


@pytest.mark.parametrize("stage", ["pretrain", "finetune", "rank", "reward", "rlhf"])
def test_every_dial_that_multiplies_rows_raises_the_estimate(stage):
    start = RunConfig()
    least = BY_NAME[stage].memory(start)
    assert 150e6 < least < 2e9
    for dial in checks.DIALS:
        if hasattr(getattr(start, stage), dial):
            value = getattr(getattr(start, stage), dial)
            assert BY_NAME[stage].memory(updated(start, {stage: {dial: type(value)(1000 * value)}})) > 1.5 * least, dial
    assert BY_NAME[stage].memory(updated(start, {"model": {"width": 1280, "hidden": 3520}})) > 2 * least


def test_the_sizes_of_batches_are_those_of_the_code():
    def rows(function):
        return inspect.signature(function).parameters["rows"].default
    assert (memory.ROWS_VALIDATED, memory.ROWS_JUDGED, memory.ROWS_SCORED, memory.ROWS_ANSWERED) == (
        rows(stream_loss), rows(examples_loss), rows(reward_scores), rows(LanguageModel._continue))
    new = inspect.signature(LanguageModel.generate).parameters["max_new_tokens"].default
    assert memory.ANSWER_TOKENS == MAX_NEW_TOKENS == new


@pytest.mark.parametrize("stage", ["pretrain", "finetune", "reward", "rlhf"])
def test_texts_of_the_user_are_taken_to_fill_the_context(stage):
    longer = updated(RunConfig(), {"model": {"context": 4096}})
    needs = BY_NAME[stage].memory
    assert needs(longer, True) > 5 * needs(RunConfig(), True)


def test_an_imported_model_of_135_million_parameters_fits_24_gb():
    """The settings of its run, on texts that fill the context; SmolLM2's shape."""
    shape = ModelConfig(vocab_size=49152, context=1024, layers=30, width=576, heads=9, kv_heads=3, hidden=1536, tied=True)
    config = config_of(SimpleNamespace(config=shape, tokenizer=SimpleNamespace(vocab_size=49152, kind="bpe")))
    needs = {name: BY_NAME[name].memory(config, True) for name in ("finetune", "rank", "reward", "rlhf")}
    for stage, least in (("finetune", 5), ("rank", 2), ("reward", 5), ("rlhf", 6)):     # copies of the weights
        assert least * size.weight_bytes(shape) < needs[stage] < 12e9, stage
    assert 3 * size.weight_bytes(shape) < memory.evaluate(config, True) < 6e9


def test_what_is_scored_at_once_is_a_gigabyte_or_one_row():
    model = memory.shape(RunConfig())
    for length in (128, 4096, 1 << 20):
        tokens = memory.at_once(model, 64, length)
        assert length <= tokens <= 64 * length
        assert size.scoring_bytes(model, tokens, 0) <= max(AT_ONCE, size.scoring_bytes(model, length, 0))


def test_the_longest_prompts_are_about_those_of_the_world(tmp_path):
    """As the world grew, a count that had been right was half of the truth."""
    run = Run(tmp_path, RunConfig(), quiet=True)
    texts = conversation_texts(data.world(run), 1500, run.rng("finetune"))
    tokenizer = train_tokenizer(texts, 1500)            # about as short as the default one of text and conversations
    asked = data.training_requests(run, 1500, run.rng("rank"))
    longest = max(len(tokenizer.encode_chat(request.messages(), ask=True)) for request in asked)
    assert 0.8 * longest < memory.LONGEST_PROMPT < 1.2 * longest


def test_the_most_unfinished_responses_of_a_long_training_are_counted():
    for rows, share in ((16, 0.25), (16, 0.0), (2, 0.25), (64, 0.9)):
        settings = replace(RunConfig().reward, rows=rows, unfinished=share)
        drawn = np.random.default_rng(0).binomial(rows, share, 300).max()
        assert drawn - 1 <= memory.most_unfinished(settings, rows) <= rows


def test_what_a_block_keeps_is_counted_from_its_cache():
    """The formula against the arrays themselves."""
    for preset in ("llama", "gpt2", "one key for all heads", "experts"):
        config = tiny.config(preset)
        tokens = np.zeros((2, 7), np.int32)
        _, cache = transformer_forward(tokens, transformer_init(config, np.random.default_rng(0)), config, *one_document(tokens))
        owned = {}

        def collect(part):
            if isinstance(part, np.ndarray) and part.dtype == np.float32:
                owned[part.__array_interface__["data"][0]] = part.size      # views begin at the same place
            elif isinstance(part, tuple):
                for each in part:
                    collect(each)
        for block in cache.blocks:
            collect(block)
        kept = sum(owned.values())
        assert kept == pytest.approx(tokens.size * config.layers * size.block_activations(config), rel=0.15)


def test_the_estimate_of_a_process_is_near_its_peak(tmp_path):
    command = campaign.SHORT[0]
    expected = campaign.estimate(command, tmp_path)
    near = pytest.approx(expected, rel=0.2)
    found = campaign.peak(command, tmp_path)
    assert found == near or campaign.peak(command, tmp_path) == near, "the first process may have compiled"
