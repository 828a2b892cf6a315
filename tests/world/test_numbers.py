"""What the corpus says about two numbers is true, in digits and in words."""

import re

import numpy as np
import pytest

from minillm.world.documents.desk import Desk
from minillm.world.documents.numbers import IN_WORDS, asked_numbers, sums_page, told_numbers
from minillm.world.facts import make_world


@pytest.fixture(scope="module")
def desk():
    return Desk(make_world(0), np.random.default_rng(0))


def in_digits(text):
    words = {word: str(n) for n, word in enumerate(IN_WORDS)}
    text = text.replace("Which one", "Which").replace("larger one", "larger")
    return re.sub(r"[A-Za-z]+", lambda found: words.get(found[0].lower(), found[0]), text)


def is_true(text):
    """Whether a text about numbers is true; the last number is the result, except in a comparison."""
    numbers = [int(n) for n in re.findall(r"\d+", text)]
    if re.search(r"smaller|less", text):
        return numbers[0] < numbers[1]
    if re.search(r"larger number is", text):
        return numbers[-1] == max(numbers[:2])
    if re.search(r"larger|(is|are) more than", text):
        return numbers[0] > numbers[1]
    a, b, c = numbers
    if text.startswith("If you take"):
        return b - a == c
    return c == (a - b if re.search(r" - | minus | take away |gave|lost|got lost", text) else a + b)


def test_told(desk):
    told = [told_numbers(desk) for _ in range(400)]
    assert all(is_true(in_digits(text)) for text in told), [text for text in told if not is_true(in_digits(text))]
    assert all(text[0].isupper() or text[0].isdigit() for text in told)
    assert 0.02 < np.mean([in_digits(text) != text for text in told]) < 0.2
    assert len(set(told)) > 270
    assert not re.search(r"\b1 [a-z]+s\b (in|and|but)", " ".join(told))


def test_asked(desk):
    for _ in range(400):
        question, answer = map(in_digits, asked_numbers(desk))
        numbers, said = [int(n) for n in re.findall(r"\d+", question)], int(re.findall(r"\d+", answer)[-1])
        assert len(numbers) == 2
        if re.search(r"larger|bigger|What is more", question):
            assert str(max(numbers)) in re.findall(r"\d+", answer)
        elif "take" in question:
            assert said == numbers[1] - numbers[0]
        elif re.search(r" - | minus |lost|sold", question):
            assert said == numbers[0] - numbers[1]
        else:
            assert said == sum(numbers)


def test_every_sum_is_told(desk):
    seen = {tuple(map(int, re.findall(r"\d+", text)[:2])) for text in (told_numbers(desk) for _ in range(1500))}
    assert len(seen) > 110


def test_pages_of_sums_are_right_and_some_compare(desk):
    lines = [line for _ in range(60) for line in sums_page(desk).split("\n\n")[1].split("\n")]
    for line in lines:
        asked = re.fullmatch(r"(\d+) or (\d+)\? (.*)", line)      # "9 or 4? 9 is larger."
        if asked:
            a, b, answer = int(asked[1]), int(asked[2]), asked[3]
            assert [int(n) for n in re.findall(r"\d+", answer)] == [max(a, b)] and "smaller" not in answer, line
        else:
            assert is_true(line), line
    for words, least in ((" or ", 30), ("is larger than", 30), ("is smaller than", 30), (" take away ", 40), (" + ", 100)):
        assert sum(words in line for line in lines) >= least, words
