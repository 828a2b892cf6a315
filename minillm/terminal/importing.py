"""The verb `import`: a model that others trained becomes the beginning of a run."""

from minillm import tree
from minillm.config import check_range
from minillm.runs.hints import command
from minillm.runs.imported import CONTEXT, import_model
from minillm.terminal.bars import printable
from minillm.terminal.flags import Parser

HELP = ("Import a model that others trained: a folder of Hugging Face with config.json, "
        "model.safetensors and tokenizer.json (GPT-2, GPT-Neo, Llama, Mixtral), a GGUF file "
        "(GPT-2, Llama), or an adapter of the library PEFT with its base. Its stages work on your "
        "data: finetune, reward and rlhf with --data, rank with --human --data.")


def parser():
    """The parser of the verb."""
    made = Parser(prog="minillm import", description=HELP, allow_abbrev=False)
    made.add_argument("path", metavar="DIR|FILE", help="the folder, or the .gguf file")
    made.add_argument("--base", metavar="RUN|DIR|FILE",
                      help="if DIR is an adapter: the model that it was trained beside, to whose "
                           "weights it is added; of a run, the pretrained one")
    made.add_argument("--name", metavar="NAME", help="name of the new run (default run-001 and up)")
    made.add_argument("--root", default="runs", metavar="DIR",
                      help="the folder of all runs (default runs)")
    made.add_argument("--context", type=int, default=CONTEXT, metavar="N",
                      help="longest sequence, in tokens, if the model has no shorter one; "
                           "fine-tuning packs its rows full (default %(default)s)")
    return made


def import_verb(args):
    """Make the run, and say what is in it."""
    check_range("context", args.context, "[8, inf)")
    folder, model, longest = import_model(args.path, args.name, args.root, args.context, args.base)
    config, tokenizer = model.config, model.tokenizer
    cut = "" if longest == config.context else f" of its {longest:,} (--context)"
    print(f"run: {folder}")
    if args.base is not None:
        print(f"import: the adapter {args.path} is added to the weights of {args.base}")
    print(f"import: {tree.count(model.params):,} parameters, {config.layers} blocks of width "
          f"{config.width}, {config.heads} heads")
    print(f"import: a vocabulary of {tokenizer.vocab_size:,} tokens, a context of "
          f"{config.context:,}{cut}")
    ends = ", ".join(name for name, id in tokenizer.control.items() if id in tokenizer.end_ids)
    print(f"import: an answer ends with {printable(ends)}")
    print("next: " + command("chat" if has_template(tokenizer) else "generate", folder)
          + ("" if has_template(tokenizer) else ' "Once upon a time"'))


def has_template(tokenizer):
    """Whether there is a form in which the model can be asked."""
    return tokenizer.imported is None or tokenizer.imported.chat_template is not None
