"""Read the files of a model that model/saving.py wrote, or transformers; and PEFT's adapters."""

from dataclasses import replace
from pathlib import Path

from minillm import tree
from minillm.config import require
from minillm.formats.checksums import check_sums
from minillm.formats.config_json import from_json, is_ours
from minillm.formats.hugging_face import from_tensors, is_buffer
from minillm.formats.json_file import MOST_BYTES, read_json, reading, require_file
from minillm.formats.peft import CONFIG, TENSORS, from_peft
from minillm.formats.shards import read_tables, weight_files
from minillm.formats.tensors import read_table, read_tensor
from minillm.model.adapter import added
from minillm.model.language_model import LanguageModel
from minillm.model.shapes import parameter_shapes
from minillm.model.size import weight_bytes
from minillm.text.tokenizer import Tokenizer

PADDING, LEAST_PADDING = 0.05, 256      # rows that an embedding may have beyond its tokens


def read_model(folder):
    """The LanguageModel in a folder that save_model, save_checkpoint or transformers wrote.

    Raises:  ValueError "PATH: ..." of one line for a broken file, or files that do not belong
             together; OSError if one cannot be read.
    """
    data = read_json(folder / "config.json")
    with reading(folder / "config.json"):
        config = from_json(data)
    tokenizer = Tokenizer.load(folder / "tokenizer.json")
    tokens = config.vocab_size if is_ours(data) else tokenizer.vocab_size
    with reading(folder):
        check_vocabulary(config.vocab_size, tokens)
    params = without_padding(read_params(folder, config, data["model_type"]), tokens)
    with reading(folder):
        return LanguageModel(params, replace(config, vocab_size=tokens), tokenizer)


def check_vocabulary(rows, tokens):
    """Refuse an embedding that does not belong to the tokenizer.  Raises:  ValueError"""
    require(rows >= tokens, f"the embedding has {rows:,} rows, but tokenizer.json {tokens:,} "
                            "tokens; the tokens without a row could not be read")
    require(rows - tokens <= max(PADDING * tokens, LEAST_PADDING),
            f"the embedding has {rows:,} rows, but tokenizer.json only {tokens:,} tokens; the two "
            "are not of one model")


def without_padding(params, tokens):
    """The parameters without the rows that no token has.

    Embeddings are often padded to a multiple of 64. A row without a token is never read, and if it
    were drawn, it could not be written; so the probabilities are those of the tokens alone.
    """
    for name in ("embedding", "head"):
        for key in ("token", "weight"):
            if key in params.get(name, {}):
                params[name][key] = params[name][key][:tokens]
    return params


def read_params(folder, config, name):
    """The parameters in the weights of a folder, as float32.

    name: of the family whose names its tensors have.
    Raises:  ValueError if they do not fit the configuration.
    """
    paths = list(weight_files(folder))
    where = paths[0] if len(paths) == 1 else folder
    if len(paths) == 1:
        check_size(paths, where, config)
    stored = read_tables(folder, is_buffer)
    check_size(paths, where, config)        # after the headers, which name the shard that was cut
    with reading(where):
        return from_tensors(stored, config, parameter_shapes(config), read_tensor, name)


def check_size(paths, where, config):
    """Refuse files of another size before memory is allocated: a wrong config.json, or a wrong
    header, may ask for more than any machine has. Small differences are named later.
    """
    for path in paths:
        require_file(path)
    size, needed = sum(path.stat().st_size for path in paths), weight_bytes(config)
    with reading(where):
        require(needed / 2 <= size <= 2 * needed + MOST_BYTES,
                f"the weights have {size:,} bytes, but the model of config.json takes {needed:,} "
                "in float32; are the two from one checkpoint?")


def is_adapter(folder):
    """Whether a folder is an adapter of the library PEFT."""
    return (Path(folder) / CONFIG).is_file()


def with_adapter(model, folder):
    """A new LanguageModel: the model with an adapter of the library PEFT merged into its weights.

        W' = W + (alpha / R) B A

    Weights beside which no adapter stands are the model's own arrays, not copies.
    Raises:  ValueError "PATH: ..." of one line for a broken file, an adapter that is not plain LoRA
             or does not fit the model; OSError if a file cannot be read.
    """
    folder = Path(folder)
    settings = read_json(folder / CONFIG)
    tensors = {name: read_tensor(each) for name, each in read_table(folder / TENSORS).items()}
    with reading(folder):
        found = from_peft(settings, tensors, model.config, tree.named_shapes(model.params))
        check_sums(folder, (CONFIG, TENSORS))
    named = dict(tree.named_leaves(model.params))
    named.update({name: added(named[name], lora, 1) for name, lora in found.items()})
    return LanguageModel(tree.from_named(model.params, named), model.config, model.tokenizer)
