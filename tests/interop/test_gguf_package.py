"""GGUF held against the gguf package's own dequantizer, and models against transformers' reading of the same file."""

import numpy as np
import pytest

gguf = pytest.importorskip("gguf")

import gguf_bytes  # noqa: E402
from oracle.make_gguf import NAMES, random_blocks  # noqa: E402

from minillm.formats.dequantize import OTHERS, TYPES, dequantize  # noqa: E402
from minillm.formats.gguf import read_header  # noqa: E402
from minillm.formats.gguf_model import read_config, read_params  # noqa: E402
from minillm.model.transformer import head_forward, one_document, transformer_forward  # noqa: E402


@pytest.mark.parametrize("name", NAMES)
def test_random_blocks(name):
    """2,000 blocks of any bits: the same float32, to the last bit."""
    kind = gguf.GGMLQuantizationType[name]
    quantization = TYPES[kind.value]
    assert (quantization.weights, quantization.block.itemsize) == gguf.GGML_QUANT_SIZES[kind]
    for seed in range(3):
        blocks = random_blocks(name, 2000, np.random.default_rng(seed))
        expected = gguf.quants.dequantize(blocks.copy(), kind).astype(np.float32).reshape(-1)
        numbers = np.empty(expected.size, np.float32)
        dequantize(blocks.reshape(-1).view(quantization.block), quantization, numbers)
        assert np.array_equal(numbers, expected)


def test_names_of_all_types():
    assert {**{number: each.name for number, each in TYPES.items()}, **OTHERS}.items() >= {
        kind.value: kind.name for kind in gguf.GGMLQuantizationType}.items()


@pytest.mark.parametrize("name", [name for name in NAMES if name in ("Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1")])
def test_quantized_by_the_package(name):
    """Weights that it rounded come back within half a level."""
    kind = gguf.GGMLQuantizationType[name]
    weights = np.random.default_rng(0).standard_normal((64, 32)).astype(np.float32)
    blocks = gguf.quants.quantize(weights, kind).reshape(-1).view(TYPES[kind.value].block)
    numbers = np.empty_like(weights)
    dequantize(blocks, TYPES[kind.value], numbers)
    level = np.abs(blocks["d"].astype(np.float32))[:, None]
    assert (np.abs(numbers - weights) <= (1.01 if name in ("Q4_0", "Q5_0") else 0.51) * level + 1e-3).all()


@pytest.mark.parametrize("preset,changes", [
    ("llama", {}), ("llama", {"tied": False, "kv_heads": 6}),
    ("gpt2", {"context": 1024, "hidden": 240})])        # the values that transformers takes without reading them
def test_transformers_reads_the_same_model(tmp_path, preset, changes):
    """Written as llama.cpp would, read by both: the same logits."""
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    config, _, metadata, tensors = gguf_bytes.model(preset, **changes)
    (tmp_path / "x.gguf").write_bytes(gguf_bytes.whole(metadata, tensors))
    try:
        theirs = transformers.AutoModelForCausalLM.from_pretrained(tmp_path, gguf_file="x.gguf", dtype=torch.float32)
    except (KeyError, NotImplementedError) as error:
        pytest.skip(f"transformers does not read it ({error!r})")
    file = read_header(tmp_path / "x.gguf")
    back = read_config(file)
    tokens = np.random.default_rng(0).integers(0, config.vocab_size, (2, 12)).astype(np.int32)
    h, _ = transformer_forward(tokens, params := read_params(file, back), back, *one_document(tokens))
    with torch.no_grad():
        expected = theirs(torch.from_numpy(tokens.astype(np.int64))).logits.numpy()
    assert np.abs(head_forward(h, params)[0] - expected).max() < 1e-5 * np.abs(expected).max()
