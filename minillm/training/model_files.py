"""A model's own files, as Hugging Face's libraries read them.

    model.safetensors  config.json  tokenizer.json    the model
    tokenizer_config.json  generation_config.json     how to use it; minillm does not read them
"""

import numpy as np

from minillm.config import require
from minillm.formats.config_json import from_json, to_json
from minillm.formats.hugging_face import from_tensors, to_tensors
from minillm.formats.json_file import MOST_BYTES, reading, read_json, write_json
from minillm.formats.tensors import read_tensors, write_tensors
from minillm.formats.tokenizer_config import generation_config, tokenizer_config
from minillm.model.language_model import LanguageModel
from minillm.model.size import weight_bytes
from minillm.model.transformer import transformer_init
from minillm.text.tokenizer import Tokenizer


def write_model(folder, model):
    """Write the five files.  Raises:  OSError if one cannot be written."""
    write_tensors(folder / "model.safetensors", to_tensors(model.params, model.config))
    write_json(folder / "config.json", to_json(model.config))
    model.tokenizer.save(folder / "tokenizer.json")
    write_json(folder / "tokenizer_config.json", tokenizer_config(model.config.context))
    write_json(folder / "generation_config.json", generation_config())


def read_model(folder):
    """The LanguageModel in a folder: written by write_model, or saved again by transformers.

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
