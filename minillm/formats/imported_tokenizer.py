"""A tokenizer of another project: its tokenizer.json, read, and the settings beside it.

What minillm would split, merge or add in another way is refused by name.
"""

from dataclasses import replace

from minillm.config import require
from minillm.formats.json_file import read_json, reading
from minillm.formats.splitters import SPLITTERS, splitter_of
from minillm.formats.vocabulary import NAMED_ENDS, vocabulary

MOST_SETTINGS = 4 << 20     # bytes of a file of settings, or of a template
ROLES = ("bos_token", "eos_token", "unk_token", "pad_token")
# How merges are applied. "" is no prefix and no suffix, which GPT-2's file has.
MODEL = {"dropout": (None, 0.0), "continuing_subword_prefix": (None, ""),
         "end_of_word_suffix": (None, ""), "byte_fallback": (False,)}
# What a control token may not do to the text beside it, or ask of it.
ADDED = {"special": True, "lstrip": False, "rstrip": False, "single_word": False}


def parse_imported(content, folder):
    """The fields of a Tokenizer, from the content of tokenizer.json and the files beside it.

    Raises:  ValueError that names what minillm does not run
    """
    model = content.get("model")
    require(isinstance(model, dict), "'model' is missing or has the wrong type")
    kind = model.get("type", "BPE")
    require(kind == "BPE", f"its model is {kind!r}; minillm runs byte-level BPE alone")
    for name, allowed in MODEL.items():
        value = model.get(name, allowed[0])
        require(value in allowed, f"'{name}' is {value!r}; minillm merges with {allowed[0]!r} only")
    vocab, merges = model.get("vocab"), model.get("merges")
    for name, value, wanted in (("vocab", vocab, dict), ("merges", merges, list)):
        require(isinstance(value, wanted), f"'{name}' is missing or has the wrong type")
    require(content.get("normalizer") is None,
            f"its normalizer is {_type(content, 'normalizer')}; minillm leaves text as it is")
    splitter = splitter_of(content.get("pre_tokenizer"))
    require(splitter, f"its pre-tokenizer is {_type(content, 'pre_tokenizer')}, set up in a way "
                      f"that minillm does not know; it splits as {', '.join(SPLITTERS)} do")
    require(_type(content, "decoder") == "ByteLevel",
            f"its decoder is {_type(content, 'decoder')}; minillm decodes bytes alone")
    control = _control(content.get("added_tokens", []))
    names = _by_id({**vocab, **control})
    settings = _settings(folder)
    template = _template(folder, settings["tokenizer_config.json"])
    begin = _begin(content.get("post_processor"))
    chosen = _special(control, settings, begin, template is not None)
    return vocabulary(names, control, merges, splitter=splitter,
                      whole=model.get("ignore_merges") is True, chat_template=template, **chosen)


def _type(content, key):
    """What a part of tokenizer.json calls itself, with its parts."""
    part = content.get(key)
    if not isinstance(part, dict):
        return "none" if part is None else type(part).__name__
    inner = next((value for value in part.values() if isinstance(value, list)
                  and all(isinstance(one, dict) for one in value)), [])
    names = " + ".join(str(one.get("type"))[:20] for one in inner[:8])
    return str(part.get("type"))[:20] + f" ({names})" * bool(names)


def _control(added):
    """{spelling: id} of the added tokens, all of which must be control tokens."""
    require(isinstance(added, list) and all(isinstance(one, dict) for one in added),
            "'added_tokens' is no list of tokens")
    control = {}
    for one in added:
        name, id = one.get("content"), one.get("id")
        require(isinstance(name, str) and name and type(id) is int,
                "an added token has no content or no id")
        for key, allowed in ADDED.items():
            value = one.get(key, False)
            require(value is allowed, f"its added token {name[:60]!r} has '{key}' {value}; "
                                      f"minillm runs those with {allowed} only")
        control[name] = id
    require(len(control) == len(added), "two added tokens are spelled alike")
    return control


def _by_id(ids):
    """The tokens in the order of their ids, which must be 0, 1, 2, ..."""
    require(all(type(id) is int for id in ids.values()), "an id of 'vocab' is no whole number")
    names = sorted(ids, key=ids.get)
    require([ids[name] for name in names] == list(range(len(names))),
            "the ids of 'vocab' and 'added_tokens' are not 0, 1, 2, ...")
    return names


def _begin(post):
    """The token that the post-processor puts before a text, or None."""
    if post is None:
        return None
    require(isinstance(post, dict), "'post_processor' has the wrong type")
    if post.get("type") == "ByteLevel":
        return None
    if post.get("type") == "Sequence":
        parts = post.get("processors")
        require(isinstance(parts, list), "'processors' is missing or has the wrong type")
        begins = [_begin(part) for part in parts]
        found = [begin for begin in begins if begin is not None]
        require(len(found) < 2, "two of its post-processors add a token")
        return found[0] if found else None
    single = post.get("single") if post.get("type") == "TemplateProcessing" else None
    text = {"Sequence": {"id": "A", "type_id": 0}}
    if single == [text]:
        return None
    named = isinstance(single, list) and len(single) == 2 and single[1] == text
    token = single[0].get("SpecialToken") if named and isinstance(single[0], dict) else None
    name = token.get("id") if isinstance(token, dict) else None
    require(isinstance(name, str), f"its post-processor {str(post.get('type'))[:40]} adds tokens "
                                   "other than one in front")
    return name


def _settings(folder):
    """The content of the settings beside tokenizer.json; {} for a file that is not there."""
    names = ("tokenizer_config.json", "generation_config.json", "config.json",
             "special_tokens_map.json")
    return {name: read_json(folder / name, most=MOST_SETTINGS) if (folder / name).exists() else {}
            for name in names}


def _special(control, settings, begin, chats):
    """Which tokens begin and end a text, and pad it; chats: there is a chat template."""
    roles = {}
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        for role in ROLES:
            value = settings[name].get(role)
            value = value.get("content") if isinstance(value, dict) else value
            if value is not None:
                require(isinstance(value, str) and value in control,
                        f"{name}: '{role}' is {str(value)[:60]!r}, which is no added token")
                roles[role] = value
    main = control.get(roles.get("eos_token"))
    ends = _ends(settings, "generation_config.json")
    if not ends:
        ends = _ends(settings, "config.json") if main is None else [main]
        ends += [control[name] for name in NAMED_ENDS if chats and control.get(name, main) != main]
    if not ends and len(control) == 1:      # GPT-2's, which its own files leave to the library
        ends = list(control.values())
    require(ends, "nothing says which token ends an answer: neither 'eos_token' of "
                  "tokenizer_config.json nor 'eos_token_id' of generation_config.json")
    ends.sort(key=lambda id: id != main)    # the main one first
    require(begin is None or begin in control, f"it begins with {begin!r}, which is no added token")
    by_id = {id: name for name, id in control.items()}
    roles.setdefault("eos_token", by_id.get(ends[0]))
    return {"begin_id": control.get(begin), "end_ids": tuple(ends),
            "pad_id": control.get(roles.get("pad_token")), "roles": roles}


def _ends(settings, name):
    """The ids that a file of settings names as ends."""
    found = settings[name].get("eos_token_id")
    found = found if isinstance(found, list) else [found] * (found is not None)
    require(all(type(id) is int for id in found), f"{name}: 'eos_token_id' is no id")
    return list(dict.fromkeys(found))


def _template(folder, config):
    """The chat template: chat_template.jinja, or what tokenizer_config.json says."""
    path = folder / "chat_template.jinja"
    if path.exists():
        with reading(path):
            require(path.is_file() and path.stat().st_size <= MOST_SETTINGS,
                    f"larger than {MOST_SETTINGS:,} bytes, or no file")
            try:
                return path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                raise ValueError("not UTF-8 text") from None
    found = config.get("chat_template")
    if isinstance(found, list):     # several, each with a name
        found = next((one.get("template") for one in found if isinstance(one, dict)
                      and one.get("name") == "default"), None)
    require(found is None or isinstance(found, str),
            "tokenizer_config.json: 'chat_template' is no text")
    return found


def settings_of(imported):
    """What tokenizer_config.json says of an imported vocabulary."""
    template = imported.chat_template
    return {"tokenizer_class": "PreTrainedTokenizerFast", **imported.roles,
            "model_input_names": ["input_ids", "attention_mask"], "padding_side": "left",
            "clean_up_tokenization_spaces": False,
            **({} if template is None else {"chat_template": template})}


def padded_apart(tokenizer):
    """The tokenizer with a pad that ends no answer: a classifier of transformers reads the last
    token that is not pad, and the score of an answer is read from its end token.

    It is the last other control token. A vocabulary that has no other gets no pad; with such a one,
    transformers classifies row by row.
    """
    if tokenizer.imported is None or tokenizer.pad_id not in tokenizer.end_ids:
        return tokenizer
    others = {id: name for name, id in tokenizer.control.items() if id not in tokenizer.end_ids}
    pad = {"pad_token": others[max(others)]} if others else {}
    roles = {role: name for role, name in tokenizer.imported.roles.items() if role != "pad_token"}
    return replace(tokenizer, pad_id=max(others, default=tokenizer.pad_id),
                   imported=tokenizer.imported._replace(roles={**roles, **pad}))


def ids_of_settings(tokenizer):
    """What generation_config.json says of an imported tokenizer: every token that ends an answer.

    An id that no role names, such as that of padding where it is the end token's, is not written.
    """
    control, roles = tokenizer.control, tokenizer.imported.roles
    found = {f"{role}_id": control.get(roles.get(role)) for role in ("bos_token", "pad_token")}
    ends = list(tokenizer.end_ids)
    return {**{key: id for key, id in found.items() if id is not None},
            "eos_token_id": ends if len(ends) > 1 else ends[0]}
