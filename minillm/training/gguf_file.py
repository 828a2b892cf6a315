"""Read a model from one GGUF file, the format of llama.cpp."""

from minillm.formats.gguf import read_header
from minillm.formats.gguf_model import read_config, read_params
from minillm.formats.json_file import reading
from minillm.model.language_model import LanguageModel
from minillm.text.tokenizer import Tokenizer


def gguf_config(path):
    """The ModelConfig of the model in a GGUF file, known before any of its weights is read.

    Raises:  ValueError, OSError as read_gguf does.
    """
    return read_config(read_header(path))


def read_gguf(path):
    """The LanguageModel in a GGUF file, its weights dequantized to float32.

    Raises:  ValueError "PATH: ..." of one line for a broken file, or a model that minillm does not
             compute, before any weight is read; OSError if it cannot be read.
    """
    gguf = read_header(path)
    config = read_config(gguf)
    with reading(path):
        tokenizer = Tokenizer.from_gguf(gguf.metadata)
    params = read_params(gguf, config)
    with reading(path):
        return LanguageModel(params, config, tokenizer)
