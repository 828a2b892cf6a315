"""Rank responses by hand: one prompt at a time, responses shuffled; each ranking is saved at once.
"""

import re

from minillm.config import require
from minillm.formats.durable import write_atomically
from minillm.phases.rank import (Ranking, append_ranking, cut_torn_line, read_records,
                                 sample_responses)
from minillm.runs import plan as planning
from minillm.runs.data import RANKINGS, askable, training_requests
from minillm.runs.hints import command
from minillm.runs.stages import BY_NAME
from minillm.terminal.bars import printable
from minillm.terminal.talking import read_line
from minillm.terminal.training import announce, plan, train
from minillm.text import corpus
from minillm.text.chat import validate_messages

HELP = "best first, like bacd; ties like b=a>c>d; u undo the last, s skip, q quit"
LETTERS = "ABCDEFGHIJKLMNOP"        # names of the responses on the screen


def rank(args):
    """`minillm rank`: by the simulated raters, or by hand."""
    require(args.data is None or args.human,
            "--data goes with --human: the simulated raters know only the embedded world")
    if not args.human:
        return train(args)
    args.resume = args.resume or args.name is None      # ranking by hand always resumes
    prompts_file, args.data = args.data, None
    stage = BY_NAME["rank"]
    chosen = plan(args, stage)
    shown = chosen.config.rank.responses
    require(shown <= len(LETTERS),
            f"responses is {shown}; at most {len(LETTERS)} can be ranked by hand")
    there = [] if chosen.new else read_records(chosen.source / "rank" / RANKINGS)
    require(all(rater == "human" for _, rater in there),
            f"{chosen.source} holds rankings by simulated raters; --name NEW starts a new run, "
            "without them, to rank by hand")
    asked = load_prompts(prompts_file) if prompts_file else None
    again = ("rank", "--human", *([f"--data={prompts_file}"] if prompts_file else []))
    with planning.working(chosen, [stage], args.root, True, args.quiet, again) as run:
        announce(run, chosen, list(stage.sections))
        by_hand(run, asked if asked is not None else world_prompts(run))


def world_prompts(run):
    """The prompts of the world's training requests."""
    requests = training_requests(run, run.config.rank.prompts, run.rng("rank"))
    return [request.messages() for request in requests]


def load_prompts(path):
    """Prompts of a JSONL file of {"prompt": text or messages} or {"messages"}.

    If the last message is the assistant's, it is dropped.

    Raises:  ValueError that names the file, the line and the fix.
    """
    prompts = []
    for where, record in corpus.records(path):
        require(isinstance(record, dict) and ("prompt" in record or "messages" in record),
                f'{where}: neither "prompt" nor "messages"; one of them is needed')
        prompt = record["prompt"] if "prompt" in record else record["messages"]
        if isinstance(prompt, str):
            prompt = [{"role": "user", "content": prompt}]
        try:
            validate_messages(prompt)
            prompt = prompt[:-1] if prompt[-1]["role"] == "assistant" else prompt
            validate_messages(prompt)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
        prompts.append(prompt)
    return prompts


def parse_ranking(text, count):
    """Ranks (1 best, ties equal, dense) of `count` responses from a line like "b=a>c>d" or "bacd".

    Raises:  ValueError that says which letter is missing or appears twice.
    """
    groups, letters = [], LETTERS[:count]
    compact = re.sub(r"[\s>,]+", "", text.upper())
    require(re.fullmatch(rf"[{letters}]+(=[{letters}]+)*", compact),
            f"{text.strip()!r} is not a ranking; {HELP}")
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


def by_hand(run, prompts):
    """Ask for rankings until there are no more prompts, the input ends, or the user quits."""
    model, path = run.model("finetune"), run.folder / "rank" / RANKINGS
    path.parent.mkdir(exist_ok=True)
    if torn := cut_torn_line(path):
        print(f"(the last line of {path} was cut off and is left out: {printable(torn[:60])}...)")
    records = read_records(path)
    done = [ranking.prompt for ranking, _ in records]
    (fit,) = askable(model, {"prompts": list(enumerate(prompts))}, lambda item: item[1],
                     lambda line: print(f"({line})"))
    waiting = [(number, prompt) for number, prompt in fit if prompt not in done]
    print(f"{len(records)} rankings so far, {len(waiting)} prompts to go: {HELP}")
    while waiting:
        number, prompt = waiting.pop(0)
        shown = responses_to(run, model, number, prompt)
        if shown is None:
            continue
        distinct = list(dict.fromkeys(shown))       # equal texts are shown once and share a rank
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
          + ("; next: " + command("reward", run.folder) if len(records) > 1 else ""))


def responses_to(run, model, number, prompt):
    """The responses to one prompt in random order; None if there is nothing to rank."""
    rng = run.rng("rank", number)
    (texts,) = sample_responses(model, [prompt], run.config.rank, rng)
    shuffled = [texts[i] for i in rng.permutation(len(texts))]
    return shuffled if len(set(texts)) > 1 else None


def ask(prompt, responses, number):
    """Show a prompt and its responses, and read the answer: ranks, or "u", "s", "q"."""
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
    """Remove the last ranking, in the file too.

    Returns the remaining records, and the prompt of the removed one.
    """
    if not records:
        print("(nothing to undo)")
        return records, None
    lines = [line for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
    write_atomically(path, "".join(f"{line}\n" for line in lines[:-1]))
    print("(the last ranking is taken back)")
    return records[:-1], records[-1][0].prompt
