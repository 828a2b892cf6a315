"""Short versions of the campaigns about compiling, surroundings, versions and bounds."""

import os
import subprocess
import sys
from pathlib import Path

import cold_warm
import numba
import pytest
import surroundings
import versions

COMPILED = not numba.config.DISABLE_JIT and os.environ.get("MINILLM_KERNELS") != "plain"
SETUP = (Path(__file__).resolve().parents[2] / "setup.cfg").read_text(encoding="utf-8")


@pytest.mark.skipif(not COMPILED, reason="nothing is compiled")
def test_the_process_that_compiles_and_the_next_give_the_same_bytes(tmp_path):
    """log sum exp differed in the last bit while its helper was a function of its own."""
    call = "print_kernels(['next_token'], (33, 200), ('float32',))"
    cold = cold_warm.python(tmp_path, call)
    assert len(cold) == 2 and cold_warm.python(tmp_path, call) == cold


@pytest.mark.skipif(not COMPILED or os.name != "posix", reason="nothing is compiled, or modes are others'")
def test_it_starts_where_nothing_can_be_written(tmp_path):
    place = surroundings.Place(tmp_path)
    try:
        surroundings.nothing_can_be_written(place, surroundings.KERNEL)
    finally:
        place.protect(tmp_path, 0o755)


def test_every_package_has_a_lower_bound():
    packages = versions.lowest(SETUP)
    assert {"numpy", "numba", "safetensors", "pytest"} <= {package.split("==")[0] for package in packages}
    with pytest.raises(ValueError, match="'tqdm' has no lower bound; write tqdm >= VERSION"):
        versions.lowest(SETUP.replace("tqdm >= ", "tqdm\n    other >= "))


def test_a_folder_above_that_is_called_minillm_does_not_hide_the_package(tmp_path):
    """`pip install -e` must put the clone on the path itself; setuptools' import hook would come too late."""
    assert "package_dir =\n    = .\n" in SETUP
    (tmp_path / "minillm" / "minillm").mkdir(parents=True)
    program = f"import sys; sys.path.append({str(Path(__file__).resolve().parents[2])!r}); import minillm; minillm.load"
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True,
                   env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"})
