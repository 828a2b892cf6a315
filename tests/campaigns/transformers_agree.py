"""Does Hugging Face's transformers do with our folders what minillm does with them?

    PYTHON tests/campaigns/transformers_agree.py            PYTHON: one that has torch and transformers
    PYTHON tests/campaigns/transformers_agree.py --short    the smallest models only

For models of both families, with tied and untied tables and either kind of vocabulary, it compares ids (of texts, of
conversations with and without the assistant's turn, refused conversations), logits, the likeliest continuations, and
the model that is loaded here after transformers saved it again, with and without the section "minillm". --run adds
the models of a run. A table in Markdown is printed; the exit status is 1 if anything differs.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import tiny  # noqa: E402  (found on the path set above)

from minillm import tree  # noqa: E402
from minillm.model.decoding import generate_tokens  # noqa: E402
from minillm.model.language_model import LanguageModel  # noqa: E402
from minillm.model.transformer import transformer_init  # noqa: E402
from minillm.text.learning import train_tokenizer  # noqa: E402
from minillm.training.checkpoint import load_checkpoint, save_checkpoint  # noqa: E402

WORDS = tiny.TEXT + " The quick brown fox: 1234 jumps over don't I'LL we've\n\n\tnaïve café ½ 漢字"
TEXTS = [WORDS, "the cat sat", " the", "a  b   c ", "\n\n the\tdog\n", "1234 1a2b", "the" * 500, ""]
ANY_TEXTS = [       # for a vocabulary that takes any text
    "   \n\n   x  ", "  def f(x):\n\n        return  x  # hi\n\t\tx\r\n \n", "👩‍👩‍👧 🏳️‍🌈 🎉🎉!", "हिन्दी ไทย العَرَبِيَّة", "½ ² Ⅷ ٣٤٥",
    "\x00\x01 \x7f \ufffd \x85 \x1c\x1d y", "a\u00a0b\u2003c\u3000d\u2028e", "ſ K İ ŉ", "e\u0301 \u0301e", "漢字かな" * 300]
TALKS = [
    [("user", "the cat")],
    [("user", " the cat "), ("assistant", "sat on\nthe mat.")],
    [("system", ""), ("user", "a dog"), ("assistant", ""), ("user", "and a log")],
    [("system", "the cat"), ("user", "sat"), ("assistant", "on"), ("user", "the"), ("assistant", "mat")],
]
NO_TALKS = [[], [("system", "the")], [("assistant", "the")], [("user", "a"), ("user", "the")],
            [("user", "a"), ("system", "the")], [("user", "a"), ("assistant", "a"), ("assistant", "a")]]


def messages(talk):
    """A conversation as a list of messages."""
    return [{"role": role, "content": text} for role, text in talk]


def models(short):
    """Yield (name, model): each family, tied and untied, each kind of vocabulary."""
    kinds = {"bpe": train_tokenizer([WORDS] * 3, 320), "characters": train_tokenizer([WORDS], kind="characters")}
    for preset in ("llama", "gpt2"):
        for kind, tokenizer in kinds.items():
            for tied in (True, False):
                if short and (kind == "bpe") != tied:
                    continue
                config = tiny.config(preset, vocab_size=tokenizer.vocab_size, context=96, tied=tied,
                                     rope_theta=300.0, norm_eps=1e-4)
                rng = np.random.default_rng(0)
                params = tiny.lively(transformer_init(config, rng), rng, np.float32)
                params["embedding"]["token"] *= np.float32(0.3)
                yield f"{preset}, {kind}, {'tied' if tied else 'untied'}", LanguageModel(params, config, tokenizer)


def ids_agree(model, theirs):
    """(compared, equal): ids of texts, and of conversations."""
    ours, pairs = model.tokenizer, []
    for text in TEXTS + ANY_TEXTS * (ours.kind == "bpe"):
        pairs.append((theirs(text)["input_ids"], ours.encode(text).tolist()))
        pairs.append((theirs.decode(ours.encode(text).tolist()), ours.decode(ours.encode(text))))
    for talk in TALKS:
        for ask in (False, True) if talk[-1][0] == "user" else (False,):
            rendered = theirs.apply_chat_template(messages(talk), add_generation_prompt=ask, return_dict=True)
            pairs.append((list(rendered["input_ids"]), ours.encode_chat(messages(talk), ask).tolist()))
    for talk in NO_TALKS:
        pairs.append((refuses(lambda: theirs.apply_chat_template(messages(talk))),
                      refuses(lambda: ours.encode_chat(messages(talk), ask=False))))
    for role in ("bos", "eos", "pad"):
        pairs.append((getattr(theirs, f"{role}_token_id"), {"bos": 1, "eos": 2, "pad": 0}[role]))
    pairs.append((theirs.model_max_length, model.config.context))
    return len(pairs), sum(a == b for a, b in pairs)


def refuses(call):
    """Whether a call refuses its conversation."""
    try:
        call()
    except Exception:           # jinja2's TemplateError there, a ValueError here
        return True
    return False


def logits_agree(model, theirs):
    """The largest difference of a logit, over a whole context."""
    import torch
    tokens = np.random.default_rng(1).integers(0, model.config.vocab_size, model.config.context)
    with torch.no_grad():
        expected = theirs(torch.from_numpy(tokens[None])).logits[0].numpy()
    return float(np.abs(model.logits(tokens) - expected).max())


def answers_agree(model, tokenizer, theirs):
    """(compared, equal): answers to one batch of conversations and texts, the likeliest token each time."""
    ours = model.tokenizer
    asked = [ours.encode_chat(messages(talk)) for talk in TALKS if talk[-1][0] == "user"]
    asked += [[ours.begin_id, *ours.encode(text)] for text in ("the", "the cat sat on", " a dog", "1234 ")]
    new = generate_tokens(model.params, model.config, [np.array(ids, np.int32) for ids in asked],
                          np.random.default_rng(0), max_new_tokens=24, temperature=0.0, end_id=ours.end_id,
                          pad_id=ours.pad_id)
    batch = tokenizer.pad({"input_ids": [list(map(int, ids)) for ids in asked]}, return_tensors="pt")
    out = theirs.generate(**batch, max_new_tokens=24)[:, batch["input_ids"].shape[1]:]
    equal = 0
    for tokens, row in zip(new, out.tolist()):
        ended = row.index(ours.end_id) + 1 if ours.end_id in row else len(row)
        equal += row[:ended] == tokens.tolist() and (
            tokenizer.decode(row[:ended], skip_special_tokens=True) == ours.decode(tokens))
    return len(asked), equal


def comes_back(model, tokenizer, theirs, folder):
    """(compared, equal): what transformers saved again, loaded here; then without the section "minillm"."""
    theirs.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    equal = 0
    for section in (True, False):
        if not section:
            data = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            data.pop("minillm", None)
            (folder / "config.json").write_text(json.dumps(data), encoding="utf-8")
        back = load_checkpoint(folder).model
        same = all(np.array_equal(a, b) for _, a, b in tree.zipped(back.params, model.params))
        tokens = tiny.prompts(lengths=(20,))[0]
        equal += (same and back.tokenizer == model.tokenizer and
                  np.array_equal(back.logits(tokens), model.logits(tokens)))
    return 2, equal


def compare(name, model, folder):
    """Print one line of the table.  Returns whether all agrees."""
    import torch
    import transformers
    step = save_checkpoint(folder, 1, model)
    tokenizer = transformers.AutoTokenizer.from_pretrained(step)
    theirs, report = transformers.AutoModelForCausalLM.from_pretrained(step, output_loading_info=True,
                                                                       dtype=torch.float32)
    theirs.eval()
    ids, logits = ids_agree(model, tokenizer), logits_agree(model, theirs)
    answers, back = answers_agree(model, tokenizer, theirs), comes_back(model, tokenizer, theirs, folder / "again")
    whole = not any(report[what] for what in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    print(f"| {transformers.__version__} | {name} | {ids[1]} of {ids[0]} | {logits:.1e} | {answers[1]} of {answers[0]} "
          f"| {back[1]} of {back[0]} |", flush=True)
    return whole and logits < 1e-4 and all(total == equal for total, equal in (ids, answers, back))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true", help="four models instead of eight")
    parser.add_argument("--run", help="a run's folder, whose models are compared too")
    args = parser.parse_args()
    import transformers         # only here, so that a test can skip without it
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    every = list(models(args.short))
    for path in sorted(Path(args.run).glob("*/step-*")) if args.run else ():
        every.append((f"{Path(args.run).name}, {path.parent.name}", load_checkpoint(path).model))
    print("| transformers | model | ids, templates, tokens alike | largest difference of a logit "
          "| same likeliest answers | load here again |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        agree = [compare(name, model, Path(folder) / str(number)) for number, (name, model) in enumerate(every)]
    sys.exit(0 if all(agree) else 1)


if __name__ == "__main__":
    main()
