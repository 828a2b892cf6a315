"""A vocabulary of byte-level BPE that another project made, from the lists of its file.

Ids are as that project chose: control tokens anywhere, bytes and merged tokens in any order, a byte
without a token, several merges that make the same token.
"""

from typing import NamedTuple

from minillm.config import require
from minillm.formats.byte_level import bytes_of

SHOWN = 60      # characters of a name in a message
# The ends of turns that some files have without saying so; llama.cpp goes by these names too.
NAMED_ENDS = ("<|eot_id|>", "<|im_end|>")


class Imported(NamedTuple):
    """What an imported vocabulary has beside its alphabet and its merges."""
    tokens: tuple           # the bytes of each id; control tokens as they are spelled
    made: tuple             # the id that each merge makes
    control: dict           # spelling -> id of every control token
    splitter: str           # how text is split before merging: a name of formats/splitters
    whole: bool             # a piece that is a token already is not merged ("ignore_merges")
    roles: dict             # {"bos_token": spelling, ...} as tokenizer_config.json has them
    chat_template: str      # Jinja, or None


def vocabulary(names, control, merges, *, splitter, whole, begin_id, end_ids, pad_id, roles,
               chat_template):
    """The fields of a Tokenizer.

    names: every token as its file spells it, by id; control: {spelling: id} of those that are no
    text; merges: pairs of spellings; end_ids: the main end token first.

    Raises:  ValueError that names what is wrong
    """
    require(0 < len(names) < 2**31, f"it has {len(names)} tokens")
    ids = {name: id for id, name in enumerate(names)}
    require(len(ids) == len(names), "two ids have the same token")
    made = _made_by(merges, {name: id for name, id in ids.items() if name not in control})
    tokens = tuple(name.encode() if name in control else _bytes(name, id)
                   for id, name in enumerate(names))
    alphabet = bytes(sorted({token[0] for name, token in zip(names, tokens)
                             if len(token) == 1 and name not in control}))
    require(alphabet, "it has no token of a single byte")
    for id in {begin_id, *end_ids, pad_id} - {None}:
        require(0 <= id < len(names), f"id {id} is named in the settings but has no token")
    for id in end_ids:
        require(names[id] in control,
                f"its end token {_shown(names[id])} (id {id}) is an ordinary token, which text "
                "can become; minillm ends at control tokens alone")
    return {"kind": "bpe", "alphabet": alphabet,
            "merges": tuple((left, right) for left, right, _ in made),
            "begin_id": begin_id, "end_id": end_ids[0], "end_ids": tuple(end_ids),
            "pad_id": end_ids[0] if pad_id is None else pad_id,
            "imported": Imported(tokens, tuple(id for _, _, id in made), dict(control), splitter,
                                 whole, roles, chat_template)}


def pair_of(line, number):
    """The two tokens of a merge, which is written "left right" or ["left", "right"]."""
    parts = line.split(" ") if isinstance(line, str) else line
    require(isinstance(parts, list) and len(parts) == 2
            and all(isinstance(part, str) for part in parts),
            f"merge {number} is not a pair of tokens")
    return parts


def _made_by(merges, ids):
    """(left, right, made) of every merge, as ids."""
    made = []
    for number, line in enumerate(merges):
        left, right = pair_of(line, number)
        found = ids.get(left), ids.get(right), ids.get(left + right)
        require(None not in found, f"merge {number} does not join two tokens into a third: "
                                   f"{_shown(left)}, {_shown(right)}")
        made.append(found)
    return made


def _bytes(name, id):
    try:
        return bytes_of(name)
    except ValueError:
        raise ValueError(f"token {_shown(name)} (id {id}) is neither a control token nor written "
                         "in GPT-2's alphabet of bytes; minillm runs byte-level BPE") from None


def _shown(name):
    return repr(name if len(name) <= SHOWN else name[:SHOWN] + "...")
