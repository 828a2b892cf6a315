"""Quantized blocks as float32, held against what the gguf package made of the same bytes (tests/oracle/make_gguf.py)."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from minillm.formats import dequantize as module
from minillm.formats.dequantize import OTHERS, TYPES, dequantize

FROZEN = load_file(Path(__file__).resolve().parents[1] / "oracle" / "gguf_blocks.safetensors")
NAMES = [quantization.name for quantization in TYPES.values()]


@pytest.mark.parametrize("quantization", TYPES.values(), ids=NAMES)
def test_frozen_blocks(quantization):
    blocks = FROZEN[f"{quantization.name}.blocks"].reshape(-1).view(quantization.block)
    numbers = np.empty(len(blocks) * quantization.weights, np.float32)
    dequantize(blocks, quantization, numbers)
    expected = FROZEN[f"{quantization.name}.numbers"]
    assert expected.std() > 1e-3 and np.array_equal(numbers, expected)      # to the last bit


def test_every_type_has_a_frozen_block():
    assert sorted(FROZEN) == sorted(f"{name}.{what}" for name in NAMES for what in ("blocks", "numbers"))
    assert not TYPES.keys() & OTHERS.keys()


def test_bits_a_weight():
    """What the names promise, and the share of the scales."""
    bits = {quantization.name: quantization.bits for quantization in TYPES.values()}
    assert bits == {"F32": 32, "F16": 16, "BF16": 16, "Q8_0": 8.5, "Q4_0": 4.5, "Q4_1": 5, "Q5_0": 5.5, "Q5_1": 6,
                    "Q2_K": 2.625, "Q3_K": 3.4375, "Q4_K": 4.5, "Q5_K": 5.5, "Q6_K": 6.5625}


def test_four_bits_by_hand():
    """The low half of the first byte is weight 0, the high half weight 16; 8 stands for 0."""
    block = np.zeros(1, module.Q4_0)
    block["d"], block["low"] = 0.5, 0x88
    block["low"][0, 0] = 0xF1
    expected = np.zeros(32, np.float32)
    expected[0], expected[16] = 0.5 * (1 - 8), 0.5 * (15 - 8)
    assert np.array_equal(module.q4_0(block)[0], expected)


def test_pieces_join(monkeypatch):
    """Where a piece ends makes no difference, nor that the last one is shorter."""
    blocks = np.tile(FROZEN["Q6_K.blocks"].reshape(-1).view(module.Q6_K), 4)[:7]
    whole, pieces = np.empty((2, 7, 256), np.float32)
    dequantize(blocks, TYPES[14], whole)
    monkeypatch.setattr(module, "PIECE", 3 * 256)
    dequantize(blocks, TYPES[14], pieces)
    assert np.array_equal(whole, pieces)


def test_infinite_scales_warn_nobody(recwarn):
    blocks = np.zeros(3, module.Q4_1)
    blocks["d"], blocks["low"][0] = np.inf, 0x10
    numbers = np.empty(96, np.float32)
    dequantize(blocks, TYPES[3], numbers)
    assert not np.isfinite(numbers).all() and not recwarn
