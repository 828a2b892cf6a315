"""The tokenizer in the metadata of a GGUF file.

Source:  ggml's GGUF specification, "Tokenizer"; the types of tokens are llama.cpp's
"""

from minillm.config import require
from minillm.formats.splitters import SPLITTERS, splitter_of_ggml
from minillm.formats.vocabulary import NAMED_ENDS, vocabulary

NORMAL, UNKNOWN, CONTROL, UNUSED = 1, 2, 3, 5
OTHERS = {4: "defined by a user, so text can become it", 6: "a byte of SentencePiece"}
ROLES = {"bos_token": "bos", "eos_token": "eos", "unk_token": "unknown", "pad_token": "padding"}
ALSO_END = ("eot", "eom")       # the end of a turn, and of a message, beside that of a text


def parse_gguf(metadata):
    """The fields of a Tokenizer.

    Raises:  ValueError that names the key and what minillm does not run
    """
    def find(key, kind, default=None):
        value = metadata.get(f"tokenizer.{key}", default)
        if kind is int and value is not None and hasattr(value, "item"):
            value = value.item()                # a number of NumPy
        require(value is default or isinstance(value, kind),
                f"tokenizer.{key} is {str(value)[:60]!r}, not of type {kind.__name__}")
        return value

    model = find("ggml.model", str)
    require(model == "gpt2", f"tokenizer.ggml.model is {model!r}; minillm runs \"gpt2\" alone, "
                             "which is byte-level BPE")
    pre = find("ggml.pre", str)
    splitter = splitter_of_ggml(pre)
    require(splitter, f"tokenizer.ggml.pre is {pre!r}; minillm splits text as "
                      f"{', '.join(one for known in SPLITTERS.values() for one in known.ggml)} do")
    names, types, merges = (_listed(metadata, key) for key in ("tokens", "token_type", "merges"))
    require(len(types) == len(names), f"tokenizer.ggml.tokens has {len(names)} entries, "
                                      f"tokenizer.ggml.token_type has {len(types)}")
    require(all(isinstance(name, str) for name in names), "tokenizer.ggml.tokens holds no texts")
    require(all(isinstance(type, int) for type in types),
            "tokenizer.ggml.token_type holds no whole numbers")
    control = {}
    for id, (name, type) in enumerate(zip(names, types)):
        require(type in (NORMAL, UNKNOWN, CONTROL, UNUSED),
                f"token {name[:60]!r} (id {id}) is {OTHERS.get(type, f'of the type {type}')}; "
                "minillm runs ordinary tokens and control tokens")
        if type != NORMAL:
            control[name] = id
    ids = {role: find(f"ggml.{name}_token_id", int) for role, name in ROLES.items()}
    require(ids["eos_token"] is not None, "tokenizer.ggml.eos_token_id is missing")
    for role, id in ids.items():
        require(id is None or 0 <= id < len(names),
                f"tokenizer.ggml.{ROLES[role]}_token_id is {id}; there are {len(names)} tokens")
    ends = [ids["eos_token"], *(find(f"ggml.{name}_token_id", int) for name in ALSO_END),
            *map(control.get, NAMED_ENDS)]
    begins = find("ggml.add_bos_token", bool, splitter == "llama3")     # as llama.cpp has it
    return vocabulary(
        names, control, merges, splitter=splitter, whole=splitter == "llama3",
        begin_id=ids["bos_token"] if begins else None,
        end_ids=tuple(dict.fromkeys(id for id in ends if id is not None)), pad_id=ids["pad_token"],
        roles={role: names[id] for role, id in ids.items() if id is not None},
        chat_template=find("chat_template", str))


def _listed(metadata, name):
    """A list of the metadata, of plain numbers and texts."""
    value = metadata.get(f"tokenizer.ggml.{name}")
    value = value.tolist() if hasattr(value, "tolist") else value
    require(isinstance(value, (list, tuple)), f"tokenizer.ggml.{name} is missing or no list")
    return value
