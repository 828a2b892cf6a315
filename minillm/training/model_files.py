"""Read the files of a model that model/saving.py wrote, or transformers."""

from minillm.config import require
from minillm.formats.config_json import from_json
from minillm.formats.hugging_face import from_tensors, is_buffer
from minillm.formats.json_file import MOST_BYTES, read_json, reading, require_file
from minillm.formats.shards import read_tables, weight_files
from minillm.formats.tensors import load
from minillm.model.language_model import LanguageModel
from minillm.model.shapes import parameter_shapes
from minillm.model.size import weight_bytes
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
    params = read_params(folder, config)
    with reading(folder):
        return LanguageModel(params, config, tokenizer)


def read_params(folder, config):
    """The parameters in the weights of a folder, as float32.

    Raises:  ValueError if they do not fit the configuration.
    """
    # A wrong config.json, or a wrong header, may ask for more memory than any machine has, so files
    # of another size are refused before memory is allocated. Small differences are named below.
    paths, needed = list(weight_files(folder)), weight_bytes(config)
    where = paths[0] if len(paths) == 1 else folder
    for path in paths:
        require_file(path)
    size = sum(path.stat().st_size for path in paths)
    with reading(where):
        require(needed / 2 <= size <= 2 * needed + MOST_BYTES,
                f"the file has {size:,} bytes, but the model of config.json takes {needed:,}; "
                "are the two from one checkpoint?")
    stored = read_tables(folder, is_buffer)
    with reading(where):
        return from_tensors(stored, config, parameter_shapes(config), load)
