"""Stories have a plot: a beginning, a wish, an obstacle, a turn and an end that belong together."""

import re
from collections import Counter

import pytest

from minillm.world.corpus import write_corpus
from minillm.world.documents.stories import OPENINGS, PLOTS
from minillm.world.facts import make_world


@pytest.fixture(scope="module")
def stories():
    """The stories among the documents of their kind, which has letters, riddles and exercises too."""
    documents = write_corpus(make_world(0), 0.4, kinds=("stories",))
    texts = [document.text.split("\n\n") for document in documents]
    return [parts for parts in texts if len(parts) == 4 and len(parts[0].split()) > 6 and not parts[0].startswith("Dear")]


def parts_of(plot):
    turns = [turn for obstacle in plot.obstacles for turn in obstacle.turns]
    return [*plot.wishes, *(obstacle.text for obstacle in plot.obstacles), *turns, *plot.ends]


def pattern_of(text):
    """A pattern of a text with its slots."""
    return re.sub(r"\\\{\w+\\\}", "[A-Za-z' ]+?", re.escape(text))


def test_many_plots_with_choices_of_their_own():
    assert len(PLOTS) >= 24
    for plot in PLOTS:
        assert len(plot.wishes) >= 2 and len(plot.obstacles) >= 2 and len(plot.ends) >= 3
        assert all(len(obstacle.turns) >= 1 for obstacle in plot.obstacles)
    texts = [text for plot in PLOTS for text in parts_of(plot)]
    assert len(set(texts)) == len(texts) > 350


def test_the_parts_of_a_story_are_of_one_plot(stories):
    assert len(stories) > 200
    told = Counter()
    for opening, wish, turn, end in stories[:78]:
        fitting = [number for number, plot in enumerate(PLOTS) for obstacle in plot.obstacles
                   if any(re.fullmatch(pattern_of(text) + " " + pattern_of(obstacle.text), wish) for text in plot.wishes)
                   and any(re.fullmatch(pattern_of(text), turn) for text in obstacle.turns)
                   and any(re.match(pattern_of(text), end) for text in plot.ends)]
        assert fitting, (wish, turn, end)
        told[fitting[0]] += 1
    assert len(told) >= len(PLOTS) - 1


def test_stories_differ(stories):
    assert len({tuple(story) for story in stories}) == len(stories)


def test_once_upon_a_time(stories):
    assert sum(story[0].startswith("Once upon a time") for story in stories) > 0.3 * len(stories)
    assert any(opening.startswith("Once upon a time") for opening in OPENINGS)


def test_a_sailor_has_seen_the_sea(stories):
    for opening, wish, *_ in stories:
        if "see the sea" in wish or "seen the sea" in wish:
            assert "a sailor" not in opening and "the sailor" not in opening


def test_a_friend_is_introduced_once_and_not_by_two_names(stories):
    for story in stories:
        text = " ".join(story)
        assert text.count("best friend") <= 2 and "friend called" not in story[1]
