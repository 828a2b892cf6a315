"""The campaigns of stops and of flipped bits, in a short version."""

import random
import sys

import bits
import pytest

if sys.platform != "win32":
    import stops


def test_a_few_flipped_bits_are_detected(tmp_path):
    assert bits.unnoticed(bits.checkpoint(tmp_path), 30, random.Random(1)) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no kill -9")
def test_one_kill_and_a_stop_at_every_step(tmp_path, monkeypatch):
    monkeypatch.setattr(stops, "FLAGS", {"pretrain": stops.FLAGS["pretrain"]})
    data = stops.write_data(tmp_path)
    before, whole = stops.prepare(tmp_path, data, steps=4, every=2)
    row = stops.kills(tmp_path, data, before, whole, count=1, steps=4, every=2, rng=random.Random(0))
    assert row.startswith("kill -9 | 1 |")
    assert "| 6 | all resumed" in stops.each_step(tmp_path, data, before, whole, steps=4, every=2)
