"""The campaign's odd files for two stages, and its words at a size that takes no time."""

import numba
import odd_data
import pytest

from minillm.kernels.twin import plain_kernels


@pytest.mark.parametrize("verb", ["tokenizer", "finetune"])
def test_odd_files_are_taken_or_refused_in_one_line(verb):
    count, refused, faults = odd_data.odd_files((verb,))[verb]
    assert faults == [] and count > 30 and refused > 20


@pytest.mark.skipif(plain_kernels() or numba.config.DISABLE_JIT, reason="the plain twins rescan the text")
@pytest.mark.parametrize("kind", odd_data.LETTERS)
def test_a_word_comes_back(kind):
    odd_data.measure_word(kind, 20_000)
