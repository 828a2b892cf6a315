"""Rank responses by hand: one prompt at a time, responses shuffled and unnamed, every ranking kept at once."""

import re

import numpy as np

from minillm.config import require
from minillm.phases.preferences import Ranking, append_ranking, checked_ranking, sample_responses
from minillm.run import STAGES, Run
from minillm.terminal import folders
from minillm.terminal.bars import printable
from minillm.terminal.talking import read_line
from minillm.terminal.training import announce, plan, prepare, train
from minillm.text import corpus
from minillm.text.chat import validate_messages
from minillm.train.run_folder import write_whole
from minillm.world.requests import make_requests

HELP = "best first, like bacd; ties like b=a>c>d; u undo the last, s skip, q quit"
LETTERS = "ABCDEFGHIJKLMNOP"


def rank(args):
    """`minillm rank`: by the simulated raters, or by hand."""
    require(args.data is None or args.human,
            "--data goes with --human: the simulated raters know the embedded world alone")
    if not args.human:
        return train(args)
    args.resume = args.resume or args.name is None      # what was ranked before is always gone on with
    chosen = plan(args, "preferences")
    shown = chosen.config.preferences.responses
    require(shown <= len(LETTERS), f"responses is {shown}; at most {len(LETTERS)} can be ranked by hand")
    there = [] if chosen.new else read_records(chosen.source / "preferences.jsonl")
    require(all(rater == "human" for _, rater in there),
            f"{chosen.source} holds rankings by simulated raters; --name NEW starts a new run, without them, "
            "to rank by hand")
    asked = load_prompts(args.data) if args.data else None
    folder = folders.new_folder(args.root, chosen.name) if chosen.new else chosen.source
    run = Run(folder, chosen.config, True, args.quiet)
    with folders.nothing_half_made(folder, chosen.new, ()):
        prepare(run, chosen, "preferences")
    announce(run, chosen, ("preferences",))
    return by_hand(run, asked if asked is not None else world_prompts(run), folder / "preferences.jsonl")


def world_prompts(run):
    """The prompts of the world's training requests."""
    requests = make_requests(run.world(), run.config.preferences.prompts, run.rng("preferences"), "train")
    return [request.messages() for request in requests]


def load_prompts(path):
    """Prompts of a JSONL file of {"prompt": text or messages} or {"messages"}; a last answer is dropped.

    Raises:  ValueError that names the file, the line and the fix.
    """
    prompts = []
    for where, record in corpus.records(path):
        require(isinstance(record, dict) and ("prompt" in record or "messages" in record),
                f'{where}: neither "prompt" nor "messages"; one of them is needed')
        prompt = record["prompt"] if "prompt" in record else record["messages"]
        prompt = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
        try:
            validate_messages(prompt)
            prompt = prompt[:-1] if prompt[-1]["role"] == "assistant" else prompt
            validate_messages(prompt)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
        prompts.append(prompt)
    return prompts


def read_records(path):
    """[(Ranking, rater)] of a file that may not be there yet.  Raises:  ValueError for a broken line."""
    if not path.exists() or not path.read_text(encoding="utf-8").strip():
        return []
    return [(checked_ranking(record, where), record.get("rater")) for where, record in corpus.records(path)]


def parse_ranking(text, count):
    """Ranks (1 best, ties equal, dense) of `count` responses from a line like "b=a>c>d" or "bacd".

    Raises:  ValueError that says what is missing or twice.
    """
    groups, letters = [], LETTERS[:count]
    compact = re.sub(r"[\s>,]+", "", text.upper())
    require(re.fullmatch(rf"[{letters}]+(=[{letters}]+)*", compact),
            f"{text.strip()!r} is no ranking; {HELP}")
    tied = False
    for mark in compact:
        if mark == "=":
            tied = True
        elif tied:
            groups[-1].append(mark)
            tied = False
        else:
            groups.append([mark])
    given = [mark for group in groups for mark in group]
    for mark in letters:
        wrong = "there twice" if mark in given else "missing"
        require(given.count(mark) == 1, f"{mark} is {wrong}; {HELP}")
    place = {mark: rank for rank, group in enumerate(groups, 1) for mark in group}
    return [place[mark] for mark in letters]


def by_hand(run, prompts, path):
    """Ask for rankings until the prompts, the input or the patience end."""
    model = run.model("finetune")
    records = read_records(path)
    if records and not path.read_text(encoding="utf-8").endswith("\n"):
        write_whole(path, path.read_text(encoding="utf-8") + "\n")      # an editor left the last line open
    done = [ranking.prompt for ranking, _ in records]
    waiting = [(number, prompt) for number, prompt in enumerate(prompts) if prompt not in done]
    print(f"{len(records)} rankings so far, {len(waiting)} prompts to go: {HELP}")
    while waiting:
        number, prompt = waiting.pop(0)
        shown = responses_to(run, model, number, prompt)
        if shown is None:
            continue
        distinct = list(dict.fromkeys(shown))               # equal texts are shown once and share a rank
        answer = ask(prompt, distinct, len(records) + 1)
        if answer == "q":
            break
        if answer == "u":
            waiting.insert(0, (number, prompt))
            records, undone = undo(path, records)
            waiting[:0] = [(n, p) for n, p in enumerate(prompts) if p == undone][:1]
        elif answer != "s":
            ranking = Ranking(prompt, shown, [answer[distinct.index(text)] for text in shown])
            append_ranking(path, ranking, "human")
            records.append((ranking, "human"))
    print(f"{len(records)} rankings are in {path}"
          + (f"; next: minillm reward {run.folder}" if len(records) > 1 else ""))


def responses_to(run, model, number, prompt):
    """The responses to one prompt in random order; None where there is nothing to rank."""
    rng = np.random.default_rng([run.config.seed, STAGES.index("preferences"), number])
    if len(model.tokenizer.encode_chat(prompt, ask=True)) >= model.config.context:
        print(f"(prompt {number + 1} is longer than the context of {model.config.context} tokens: left out)")
        return None
    (texts,) = sample_responses(model, [prompt], run.config.preferences, rng)
    return [texts[i] for i in rng.permutation(len(texts))] if len(set(texts)) > 1 else None


def ask(prompt, responses, number):
    """Show a prompt and its responses and read what the user makes of it: ranks, or "u", "s", "q"."""
    print(f"\n=== {number}")
    for message in prompt:
        print(f"{message['role']}: {printable(message['content'])}")
    for letter, text in zip(LETTERS, responses):
        print(f"  {letter}  " + printable(text).replace("\n", "\n     "))
    while True:
        line = read_line("> ")
        command = "q" if line is None else line.strip().lower()
        if command in ("u", "s", "q"):
            return command
        if not command:
            print(HELP)
            continue
        try:
            ranks = parse_ranking(command, len(responses))
        except ValueError as error:
            print(error)
            continue
        if len(set(ranks)) > 1:
            return ranks
        print("(all equal teaches nothing; s skips)")


def undo(path, records):
    """Take the last ranking back, in the file too.  Returns the records left and the prompt taken back."""
    if not records:
        print("(nothing to undo)")
        return records, None
    lines = path.read_text(encoding="utf-8").rstrip("\n").split("\n")[:-1]
    write_whole(path, "".join(f"{line}\n" for line in lines))
    print("(the last ranking is taken back)")
    return records[:-1], records[-1][0].prompt
