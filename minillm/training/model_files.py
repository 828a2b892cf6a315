"""Read the files of a model that model/saving.py wrote, or transformers."""

import numpy as np

from minillm.config import require
from minillm.formats.config_json import from_json
from minillm.formats.hugging_face import from_tensors
from minillm.formats.json_file import MOST_BYTES, reading, read_json
from minillm.formats.tensors import read_tensors
from minillm.model.language_model import LanguageModel
from minillm.model.size import weight_bytes
from minillm.model.transformer import transformer_init
from minillm.text.tokenizer import Tokenizer


def read_model(folder):
    """The LanguageModel in a folder that save_model, save_checkpoint or transformers wrote.

    Raises:  ValueError "PATH: ..." of one line for a broken file, or files that do not belong
             together; OSError if one cannot be read.
    """
    data = read_json(folder / "config.json")
    with reading(folder / "config.json"):
        config = from_json(data)
    tokenizer = Tokenizer.load(folder / "tokenizer.json")
    params = read_params(folder / "model.safetensors", config)
    with reading(folder):
        return LanguageModel(params, config, tokenizer)


def read_params(path, config):
    """The parameters of a model.safetensors.

    Raises:  ValueError if they do not fit the configuration.
    """
    # A wrong config.json, or a wrong header, may ask for more memory than any machine has, so a
    # file of another size is refused before memory is allocated. Small differences are named below.
    size, needed = path.stat().st_size, weight_bytes(config)
    with reading(path):
        require(needed / 2 <= size <= 2 * needed + MOST_BYTES,
                f"the file has {size:,} bytes, but the model of config.json takes {needed:,}; "
                "are the two from one checkpoint?")
    tensors = read_tensors(path)
    like = transformer_init(config, np.random.default_rng(0))
    with reading(path):
        return from_tensors(tensors, config, like)
