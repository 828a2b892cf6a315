"""What `import minillm` costs and gives."""

import subprocess
import sys
from pathlib import Path

import pytest

import minillm

ROOT = Path(minillm.__file__).parents[1]


def python(code):
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout


def test_import_loads_numpy_and_numba_alone():
    """Also the model itself: what is not taught is imported where it is used."""
    found = python("import sys, minillm; minillm.LanguageModel; minillm.load; minillm.train\n"
                   "import minillm.training.checkpoint, minillm.text.tokenizer, minillm.cli\n"
                   "others = ('matplotlib', 'tqdm', 'jinja2', 'safetensors', 'regex', 'minillm.run', 'minillm.pipeline')\n"
                   "print([name for name in others if name in sys.modules])")
    assert found.strip() == "[]"


def test_what_a_reader_imports(tmp_path):
    assert minillm.LanguageModel.__name__ == "LanguageModel"
    assert minillm.__version__
    with pytest.raises(ValueError, match="not a checkpoint"):
        minillm.load(tmp_path)
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        minillm.lode
