"""Rank responses by hand: one prompt at a time, responses shuffled; each ranking is saved at once.

Rankings by a person and by the simulated raters never stand in one run. If a run holds the
simulated raters', ranking by hand works in a new run, NAME-human, that begins with copies of its
models; nothing of either is lost, and `minillm reward` learns from each.
"""

import json
import re

from minillm.config import require
from minillm.formats.durable import append_line, write_atomically
from minillm.phases.rank import (Ranking, append_ranking, cut_torn_line, read_records,
                                 sample_responses)
from minillm.runs import plan as planning
from minillm.runs.data import RANKINGS, askable, training_requests
from minillm.runs.folder import root_folder
from minillm.runs.hints import command
from minillm.runs.stages import BY_NAME
from minillm.terminal.bars import printable
from minillm.terminal.talking import read_line
from minillm.terminal.taught import taught
from minillm.terminal.training import announce, plan, train
from minillm.text import corpus
from minillm.training.checkpoint import steps_in
from minillm.training.progress import filled, wrapped

HELP = "best first, like bacd; ties like b=a>c>d; u undo the last, s skip, q quit"
LETTERS = "ABCDEFGHIJKLMNOP"        # names of the responses on the screen
AT_A_TIME = 10                      # prompts after which the user is asked whether to go on
SKIPPED = "skipped.jsonl"           # prompts that the user skipped, in the folder of the rankings


def rank(args):
    """`minillm rank`: by the simulated raters, or by hand."""
    require(args.data is None or args.human,
            "--data goes with --human: the simulated raters know only the embedded world")
    if not args.human:
        return train(args)
    prompts_file, args.data = args.data, None
    stage = BY_NAME["rank"]
    args.resume = args.resume or args.name is None      # ranking by hand always resumes
    step_beside(args, stage)
    chosen = plan(args, stage, by_hand=prompts_file is not None)
    shown = chosen.config.rank.responses
    require(shown <= len(LETTERS),
            f"responses is {shown}; at most {len(LETTERS)} can be ranked by hand")
    require(chosen.new or not simulated(chosen.source),
            f"{chosen.source} holds rankings by simulated raters; --name NEW starts a new run, "
            "without them, to rank by hand")
    asked = None
    if prompts_file:
        own = corpus.load_prompts(prompts_file, remark)[:chosen.config.rank.prompts]
        asked = [(messages, None) for messages in own]
    again = ("rank", "--human", *([f"--data={prompts_file}"] if prompts_file else []))
    with planning.working(chosen, [stage], args.root, True, args.quiet, again) as run:
        announce(run, chosen, list(stage.sections))
        by_hand(run, asked if asked is not None else world_prompts(run))


def remark(line):
    """Print a remark in parentheses."""
    print(filled(f"({line})", indent=" "))


def simulated(folder):
    """Whether a run holds rankings by the simulated raters."""
    return any(rater != "human" for _, rater in read_records(folder / "rank" / RANKINGS))


def step_beside(args, stage):
    """If the run that is meant holds the simulated raters' rankings, mean NAME-human instead: a new
    run from copies of its models, or that run, if it was begun before.
    """
    if args.name is not None:
        return
    source = planning.source_of(stage.needs, args.run, None, args.root, resume=True)
    if not simulated(source):
        return
    beside = root_folder(args.root) / f"{source.resolve().name}-human"
    if beside.exists():
        args.run = str(beside)
        return
    remark(f"{source} keeps the simulated raters' rankings; yours go into a new run")
    args.run, args.name, args.resume = str(source), beside.name, False


def world_prompts(run):
    """The prompts of the world's training requests: [(messages, request)]."""
    requests = training_requests(run, run.config.rank.prompts, run.rng("rank"))
    return [(request.messages(), request) for request in requests]


def parse_ranking(text, count):
    """Ranks (1 best, ties equal, dense) of `count` responses from a line like "b=a>c>d" or "bacd".

    Raises:  ValueError that says which letter is missing or appears twice.
    """
    groups, letters = [], LETTERS[:count]
    compact = re.sub(r"[\s>,]+", "", text.upper())
    require(re.fullmatch(rf"[{letters}]+(=[{letters}]+)*", compact),
            f"{text.strip()!r} is not a ranking of {letters[0]} to {letters[-1]}; {HELP}")
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
    """Ask for rankings until there are no more prompts or the user ends it; then say what they
    taught.

    prompts: [(messages, the world's request or None)]
    """
    model, path = run.assistant(), run.folder / "rank" / RANKINGS
    path.parent.mkdir(exist_ok=True)
    if torn := cut_torn_line(path):
        remark(f"the last line of {path} was cut off and is left out: {printable(torn[:60])}...")
    records, skipped = read_records(path), read_skipped(path.parent)
    numbered = [(number, messages) for number, (messages, _) in enumerate(prompts)]
    (numbered,) = askable(model, {"prompts": numbered}, lambda item: item[1], remark)
    done = [str(prompt) for prompt in [ranking.prompt for ranking, _ in records] + skipped]
    once = {str(messages): number for number, messages in reversed(numbered)}   # its first place
    waiting = [(number, messages) for number, messages in numbered
               if once[str(messages)] == number and str(messages) not in done]
    print(f"{len(records)} rankings so far, {len(waiting)} prompts to go"
          + (f", {len(skipped)} skipped before" if skipped else ""))
    print(HELP)
    records, given = ask_for_rankings(run, model, path, records, numbered, waiting)
    print(f"{len(records)} {'ranking is' if len(records) == 1 else 'rankings are'} in {path}")
    for line in taught(run, given, prompts):
        print(line)
    if len(records) > 1:
        another = ["--name", f"{run.folder.name}-more"]     # a stage is never done twice in a run
        print("next: " + command("reward", run.folder,
                                 *(another if steps_in(run.folder / "reward") else [])))


def ask_for_rankings(run, model, path, records, numbered, waiting):
    """Ask for rankings, ten at a time, and keep each in the file at once.

    records: [(Ranking, rater)] that the file holds; numbered: all prompts as (number, messages);
    waiting: those of them that are to be asked
    Returns (the records that it holds now, the rankings that are new).
    """
    old, goal = len(records), len(records) + min(AT_A_TIME, len(waiting))
    while waiting:
        if len(records) >= goal:
            if not goes_on():
                break
            goal += min(AT_A_TIME, len(waiting))
        number, prompt = waiting.pop(0)
        shown = responses_to(run, model, number, prompt)
        if shown is None:
            continue
        distinct = list(dict.fromkeys(shown))       # equal texts are shown once and share a rank
        answer = ask(prompt, distinct, f"{len(records) + 1} of {goal}")
        if answer == "q":
            break
        if answer == "u":
            waiting.insert(0, (number, prompt))
            records, undone = undo(path, records)
            waiting[:0] = [item for item in numbered if item[1] == undone][:1]
        elif answer == "s":
            append_line(path.parent / SKIPPED, json.dumps({"prompt": prompt}))
        else:
            ranking = Ranking(prompt, shown, [answer[distinct.index(text)] for text in shown])
            append_ranking(path, ranking, "human")
            records = [*records, (ranking, "human")]
        old = min(old, len(records))
    return records, [ranking for ranking, _ in records[old:]]


def read_skipped(folder):
    """The prompts that the user skipped in earlier sessions; remove the file to be asked again."""
    path = folder / SKIPPED
    cut_torn_line(path)
    if not path.exists() or not path.read_bytes().strip():
        return []
    return corpus.load_prompts(path)


def goes_on():
    """Whether the user wants ten more prompts."""
    line = read_line(f"{AT_A_TIME} ranked. {AT_A_TIME} more? [Y/n] ")
    return line is not None and line.strip().lower() in ("", "y", "yes")


def responses_to(run, model, number, prompt):
    """The responses to one prompt in random order; None if there is nothing to rank."""
    rng = run.rng("rank", number)
    (texts,) = sample_responses(model, [prompt], run.config.rank, rng)
    shuffled = [texts[i] for i in rng.permutation(len(texts))]
    return shuffled if len(set(texts)) > 1 else None


def ask(prompt, responses, place):
    """Show a prompt and its responses, and read the answer: ranks, or "u", "s", "q"."""
    print(f"\n=== {place}")
    for message in prompt:
        print(hanging(f"{message['role']}: ", message["content"]))
    for letter, text in zip(LETTERS, responses):
        print(hanging(f"  {letter}  ", text))
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
            print(filled(str(error)))
            continue
        if len(set(ranks)) > 1:
            return ranks
        print("(all equal teaches nothing; s skips)")


def hanging(label, text):
    """A label, and beside it a text in lines of at most 80 columns."""
    return label + wrapped(printable(text), " " * len(label))[len(label):]


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
