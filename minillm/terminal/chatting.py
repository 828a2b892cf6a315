"""`minillm chat`: a conversation at the terminal."""

import re
import signal
import sys
from contextlib import suppress

import numpy as np

from minillm.config import did_you_mean, require
from minillm.evaluate.next_words import next_words, shown
from minillm.model.quantized import is_int8
from minillm.runs.config import load_config
from minillm.runs.data import LEAST_ROOM
from minillm.runs.folder import imported_from
from minillm.runs.proposals import things_to_ask
from minillm.runs.run import Run
from minillm.terminal.bars import bars, can_show_blocks, printable
from minillm.terminal.talking import check_flags, load, naming, read_line, sampling
from minillm.training.checkpoint import STEP, find_checkpoint, load_checkpoint, steps_in

STAGES = {"base": "pretrain", "finetuned": "finetune", "aligned": "rlhf"}
NO_ASSISTANT = "the base model has read documents and never a conversation: it goes on as they do"
COMMANDS = ("/help", "/system", "/reset", *(f"/{name}" for name in STAGES), "/why", "/quit")
HELP = """/help           this list
/system TEXT    a new conversation with this system prompt; without TEXT, with none
/reset          a new conversation with the same system prompt
/base, /finetuned, /aligned     let that model of the run answer; the conversation is kept
/why            the likeliest next words at the beginning of the last answer
/quit           end, as Ctrl-D does; Ctrl-C stops an answer"""
WORD = re.compile(r"\s*(?:\w+|[^\w\s])")
EXPLAINED, LIKELIEST = 3, 4     # places in an answer that /why shows, and most words for each
LEAST = 0.005                   # probability of a word that /why shows; the likeliest is shown
FOR_ANSWER = 0.25               # share of the context that is kept free for an answer


class Stop(KeyboardInterrupt):
    """Ctrl-C, and no other signal: it stops an answer, not the program."""


def chat(args):
    """A conversation, line by line, until /quit or the end of input."""
    check_flags(args)
    model, folder = load(args, None)
    talk = Conversation(model, folder, sampling(args, model), args.seed)
    talk.set_system(args.system or "")
    asking = sys.stdin.isatty()
    if asking:
        prepare_terminal()
        greet(talk)
    while (line := next_line(asking)) is not None:
        if line.strip() and not asking:
            print(f"you> {printable(line)}")
        try:
            if line.split() == ["/quit"]:
                break
            if line.startswith("/"):
                print(obey(talk, line))
            elif line.strip():
                talk.respond(line)
        except Stop:
            print("(stopped)")


def prepare_terminal():
    """Arrow keys and a history for input(), if Python has readline; Ctrl-C raises Stop."""
    with suppress(ImportError):
        import readline  # noqa: F401

    def stop(number, frame):
        raise Stop
    with suppress(ValueError):              # only the main thread handles signals
        signal.signal(signal.SIGINT, stop)


def next_line(asking):
    """One line of the user; None at the end of input."""
    try:
        return read_line("you> " if asking else "")
    except Stop:
        print("\n(Ctrl-D or /quit ends)")
        return ""


def greet(talk):
    """Say who answers, and what could be asked."""
    imported = talk.run and imported_from(talk.run)
    name = "imported" if imported and talk.name == "base" else talk.name
    print(f"The {name} model of {talk.run or talk.folder} answers; /help lists the commands.")
    if talk.name == "base":
        print(f"(from {printable(imported)})" if imported else f"({NO_ASSISTANT})")
        return
    if talk.run is None:
        return
    try:
        questions = things_to_ask(Run(talk.run, *load_config(talk.run)), talk.model)
    except ValueError:                      # its run.json or data are gone: then none
        return
    for text in questions:
        print(f"  try: {printable(text)}")


def obey(talk, line):
    """Do what a line that begins with "/" says.  Returns what to print."""
    command, *text = line.split(maxsplit=1)
    try:
        if command == "/help":
            return HELP
        if command == "/system":
            return talk.set_system("".join(text).strip())
        if command == "/reset":
            return talk.reset()
        if command == "/why":
            return talk.explain()
        if command[1:] in STAGES:
            return talk.switch(command[1:])
    except ValueError as error:
        return f"({error})"
    return f"(there is no {printable(command)}; {did_you_mean(command, COMMANDS)})"


class Conversation:
    """What was said, and the model that answers.

    folder: the model's checkpoint; run: the folder of its run, None if it lies in none.
    """

    def __init__(self, model, folder, settings, seed):
        self.model, self.folder, self.sampling = model, folder, settings
        self.run = folder.parent.parent if STEP.fullmatch(folder.name) else None
        named = {stage: name for name, stage in STAGES.items()}
        self.name = named.get(folder.parent.name, folder.parent.name) if self.run else folder.name
        self.rng = np.random.default_rng(seed)
        self.set_system("")

    def reset(self):
        """A new conversation with the same system prompt.  Returns a line that says so."""
        self.turns = []             # messages of the user and the model, alternating
        self.last = None            # (model, tokens it was asked, answer)
        self.warned = False
        return f"(a new conversation, {'with the' if self.system else 'without a'} system prompt)"

    def set_system(self, text):
        """A new conversation with a system prompt, or none: it is a conversation's first message.

        Raises:  ValueError if it leaves no room to talk.
        """
        system = [{"role": "system", "content": text}] if text else []
        nothing, context = [*system, {"role": "user", "content": ""}], self.model.config.context
        used = len(self.model.tokenizer.encode_chat(nothing))
        require(used <= context - LEAST_ROOM,
                f"the system prompt has {used} tokens; it must leave room for a question and an "
                f"answer in the context of {context}")
        self.system = system        # the system's message, or none
        return self.reset()

    def switch(self, name):
        """Let another model of the run answer.  Raises:  ValueError if there is none"""
        require(self.run is not None, f"{self.folder} is a single model, not one of a run")
        there = [each for each, stage in STAGES.items() if steps_in(self.run / stage)]
        require(name in there, f"{self.run} has no {name} model; it has: {', '.join(there)}")
        self.folder = find_checkpoint(self.run / STAGES[name])
        model = load_checkpoint(self.folder).model
        self.model, self.name = model.quantized() if is_int8(self.model.params) else model, name
        no_assistant = name == "base" and imported_from(self.run) is None
        return f"({NO_ASSISTANT})" if no_assistant else f"(the {name} model answers)"

    def respond(self, line):
        """Print the answer to a line while it is drawn, and keep both."""
        question = {"role": "user", "content": line}
        try:
            turns = self.turns_with_room(question)
        except ValueError as error:         # too long, or not in the vocabulary
            print(f"model> ({error})")
            return
        dropped = (len(self.turns) - len(turns)) // 2
        if dropped:
            oldest = ("oldest question and answer are" if dropped == 1 else
                      f"{dropped} oldest questions and answers are")
            print(f"(the context of {self.model.config.context} tokens is full: the {oldest} "
                  "forgotten)")
        asked, said, stopped = self.tokens([*turns, question]), [], False
        try:
            with naming(self.folder):
                for piece in self.model.answer_pieces(asked, self.rng, **self.sampling):
                    print("" if said else "model> ", printable(piece), sep="", end="", flush=True)
                    said.append(piece)
        except Stop:
            stopped = True
        print(("" if said else "model> ") + " (stopped)" * stopped, flush=True)
        if stopped and not said:
            return
        answer = "".join(said).replace("\ufffd", "")    # not every vocabulary has it
        self.turns = [*turns, question, {"role": "assistant", "content": answer}]
        self.last = self.model, asked, answer
        self.warn(question)

    def tokens(self, messages):
        """The tokens that the model is asked to continue.  Shapes:  -> (T,)"""
        return self.model.tokenizer.encode_chat([*self.system, *messages], ask=True)

    def turns_with_room(self, question):
        """The newest whole turns that leave room for a question and its answer.

        Raises:  ValueError if even the question alone leaves too little.
        """
        context, turns = self.model.config.context, self.turns
        wanted = min(self.sampling["max_new_tokens"], int(FOR_ANSWER * context))
        while turns and context - len(self.tokens([*turns, question])) < max(wanted, LEAST_ROOM):
            turns = turns[2:]
        used = len(self.tokens([*turns, question]))
        require(used <= context - LEAST_ROOM,
                f"that line is too long: {used} tokens, of a context of {context}")
        return turns

    def warn(self, question):
        """Say, once, that as long a question and answer would not fit beside all the others."""
        if not self.warned and len(self.turns_with_room(question)) < len(self.turns):
            self.warned, context = True, self.model.config.context
            used = len(self.model.tokenizer.encode_chat([*self.system, *self.turns], ask=False))
            used = min(used, context)       # an answer that was cut by it has no end token in it
            print(f"({used} of the context's {context} tokens are used; soon the oldest question "
                  "and answer are forgotten)")

    def explain(self):
        """The likeliest next words at the first places of the last answer, as bars.

        Raises:  ValueError if there is no answer yet.
        """
        require(self.last is not None, "there is no answer yet")
        model, asked, answer = self.last
        words, parts = WORD.findall(answer), []
        for number in range(min(EXPLAINED, len(words) + 1)):
            before = "".join(words[:number])
            tokens = np.concatenate([asked, model.tokenizer.encode_answer(before)])
            if len(tokens) >= model.config.context:
                break
            found = next_words(model, tokens, LIKELIEST)
            rows = [(printable(shown(word, before)), probability)
                    for word, probability in found if probability >= min(LEAST, found[0][1])]
            parts += [f"after {printable(before)!r}:" if before else "the first word:",
                      bars(rows, blocks=can_show_blocks())]
        return "\n".join(parts)
