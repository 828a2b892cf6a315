"""The files that hold a model's weights: model.safetensors, or several with an index.

    model.safetensors.index.json   {"weight_map": {name of a tensor: name of its file}}
"""

from pathlib import Path

from minillm.config import require
from minillm.formats.json_file import reading, read_json
from minillm.formats.tensors import FLOATS, read_table

WHOLE, INDEX = "model.safetensors", "model.safetensors.index.json"
OTHERS = ("pytorch_model.bin", "pytorch_model.bin.index.json", "tf_model.h5", "flax_model.msgpack")


def has_weights(folder):
    """Whether a folder holds weights that can be read."""
    return any((Path(folder) / name).is_file() for name in (WHOLE, INDEX))


def other_format(folder):
    """Half a sentence on weights in a format that is not read; "" if there are none."""
    name = next((name for name in OTHERS if (Path(folder) / name).exists()), None)
    return "" if name is None else (f"; {name} is in a format that minillm does not read "
                                    "(transformers saves it again as safetensors: "
                                    "model.save_pretrained(FOLDER))")


def weight_files(folder):
    """{path of a file: names of the tensors that the index expects there, or None without index}.

    Raises:  ValueError that names the file which is missing.
    """
    folder = Path(folder)
    if (folder / WHOLE).exists() or not (folder / INDEX).exists():
        return {folder / WHOLE: None}
    content = read_json(folder / INDEX)
    with reading(folder / INDEX):
        places = content.get("weight_map")
        require(isinstance(places, dict) and places, "it has no weight_map of tensors to files")
        files = {}
        for name, file in places.items():
            require(isinstance(file, str) and file == Path(file).name and file.isprintable()
                    and file.endswith(".safetensors"),
                    f"tensor {name} is in {file!r}, which is no name of a safetensors file beside "
                    "it")
            files.setdefault(folder / file, []).append(name)
        for path in files:
            require(path.exists(), f"{path.name} is missing, and {len(files[path]):,} tensors are "
                                   "in it")
    return files


def read_tables(folder, skip):
    """Where the tensors of a model lie, in all its files: {name: Stored}.

    skip(name): whether a tensor is left out.
    Raises:  ValueError "PATH: ..." of one line; OSError if a file cannot be read.
    """
    whole = {}
    for path, expected in weight_files(folder).items():
        table = read_table(path, FLOATS, skip)
        with reading(path):
            for name in expected or ():
                require(name in table or skip(name),
                        f"tensor {name} is missing, which {INDEX} has in this file")
            for name in table:
                require(name not in whole, f"tensor {name} is in another file too")
        whole.update(table)
    return whole
