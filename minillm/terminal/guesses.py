"""The guess that a reader commits to before a lesson: kept, and later compared with the answer."""

import re
import sys
import textwrap
from typing import NamedTuple

from minillm.config import require
from minillm.formats.json_file import read_json, write_json
from minillm.terminal.exercises import READERS

GUESSES = READERS / "guesses.json"      # {lesson: {"guess": number, "answer_seen": true or false}}
ASKED = re.compile(r"^## Your guess\n(.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)
OPTION = re.compile(r"^(\d+)\. (.+(?:\n {2,}\S.*)*)", re.MULTILINE)
ANSWER = re.compile(r"<summary>The answer to the guess</summary>\s*(.*?)</details>", re.DOTALL)
NUMBER = re.compile(r"\**Guess (\d+)\**[.:,;]?\**\s*")


class Question(NamedTuple):
    """What a lesson's text lets its readers guess."""
    situation: str          # what stands before the options
    options: tuple          # of strings; guess 1 is the first of them
    answer: int             # the number of the right one; 0 if the text does not tell
    because: str            # the answer's first paragraph, without its number


def question_of(text):
    """The Question of a lesson's text; without options, if it has no list of them."""
    asked, answer = ASKED.search(text), ANSWER.search(text)
    options, before = [], re.split(r"^1\. ", asked[1] if asked else "", flags=re.MULTILINE)[0]
    for number, words in OPTION.findall(asked[1] if asked else ""):
        if int(number) != len(options) + 1:
            break                       # a second list, of something else
        options.append(plain(words).rstrip(".,;"))
    begins = NUMBER.match(answer[1]) if answer else None
    paragraphs = [plain(part) for part in answer[1][begins.end():].split("\n\n")] if begins else []
    because = next((part for part in paragraphs if part), "")
    return Question(plain(before), tuple(options), int(begins[1]) if begins else 0, because)


def plain(markdown):
    """A paragraph as one line of plain text: no pictures, no links, no comments, no stars."""
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)|<!--.*?-->", "", markdown, flags=re.DOTALL)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"(?<![\w*])(\*\*?)(?=\S)([^*]+)\1(?![\w*])", r"\2", text)
    return " ".join(text.split())


def kept():
    """All guesses of this folder's reader.  Raises:  ValueError if the file holds no such thing."""
    every = read_json(GUESSES) if GUESSES.exists() else {}
    require(all(isinstance(mine, dict) and isinstance(mine.get("guess"), int)
                and isinstance(mine.get("answer_seen"), bool) for mine in every.values()),
            f"{GUESSES}: holds something other than guesses; delete it to begin again")
    return every


def record(name, number, question):
    """Keep a guess.  Raises:  ValueError if there is no such option, or the answer was seen."""
    options, mine = question.options, kept().get(name)
    require(options, f"lesson {name[:2]} has nothing to guess")
    require(1 <= number <= len(options),
            f"there is no guess {number} in lesson {name[:2]}; the guesses are "
            + "; ".join(f"{n}: {option}" for n, option in enumerate(options, 1)))
    require(not (mine and mine["answer_seen"]),
            f"lesson {name[:2]} has shown you its answer already; you guessed "
            f"{mine and mine['guess']} ({GUESSES})")
    keep(name, number, answer_seen=False)


def keep(name, number, answer_seen):
    """Write a guess down."""
    GUESSES.parent.mkdir(parents=True, exist_ok=True)
    write_json(GUESSES, {**kept(), name: {"guess": number, "answer_seen": answer_seen}})


def ask(name, question):
    """Ask for a guess before a lesson runs, if there is none yet and somebody sits there."""
    if name in kept() or not question.options or not sys.stdin.isatty():
        return
    print(textwrap.fill(question.situation, 100))
    for number, option in enumerate(question.options, 1):
        print(f"  {number}. {option}")
    while True:
        try:
            word = input(f"Your guess (1 to {len(question.options)}, Enter for none): ").strip()
        except EOFError:
            print()
            return
        if not word:
            return
        if word.isdecimal() and 1 <= int(word) <= len(question.options):
            return record(name, int(word), question)


def compared(name, question):
    """A guess beside the answer, as a sentence, which is noted as seen; "" without a guess."""
    mine, (_, options, answer, because) = kept().get(name), question
    if not mine or not 1 <= answer <= len(options) or not 1 <= mine["guess"] <= len(options):
        return ""
    guess = mine["guess"]
    keep(name, guess, answer_seen=True)
    it_is = f"it is {answer}, \"{options[answer - 1]}\"" if guess != answer else "and you are right"
    ends = f": {because}" if because else "."
    return f"You guessed {guess}, \"{options[guess - 1]}\"; {it_is}{ends}"


def listed(name, question):
    """A few words on a guess, for the list of lessons."""
    mine = kept().get(name)
    if not mine:
        return ""
    if not mine["answer_seen"]:
        return f"guessed {mine['guess']}"
    if mine["guess"] == question.answer:
        return f"guessed {mine['guess']}, right"
    return f"guessed {mine['guess']}, it is {question.answer}"
