"""The campaign's odd files for one stage, and its words at a size that takes no time."""

import numba
import odd_data
import pytest

from minillm.kernels.twin import plain_kernels


def test_odd_files_are_taken_or_refused_in_one_line():
    count, refused, faults = odd_data.odd_files(("finetune",))["finetune"]
    assert faults == [] and count > 30 and refused > 20


@pytest.mark.skipif(plain_kernels() or numba.config.DISABLE_JIT, reason="the plain twins rescan the text")
@pytest.mark.parametrize("kind", odd_data.LETTERS)
def test_a_word_comes_back(kind):
    odd_data.measure_word(kind, 20_000)
