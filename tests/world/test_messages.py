import re
from collections import Counter, defaultdict

import numpy as np
import pytest

from minillm.world.facts import make_world
from minillm.world.messages import HELD_GOODS, HELD_MESSAGES, LABELS, MESSAGES, TASK_PROMPT, labelled_messages


@pytest.fixture(scope="module")
def pairs():
    return labelled_messages(make_world(0), 2000, np.random.default_rng(0))


def words(text):
    return set(re.findall(r"[a-z']+|[?!]", text.lower()))


def test_labels_are_balanced_and_in_random_order(pairs):
    assert Counter(label for _, label in pairs) == dict.fromkeys(LABELS, 500)
    assert [label for _, label in pairs[:8]] != list(LABELS) * 2


def test_no_message_says_a_label(pairs):
    assert not any(re.search(rf"\b{label}s?\b", text.lower()) for text, _ in pairs for label in LABELS)


def test_no_single_word_gives_a_label_away(pairs):
    count = defaultdict(Counter)
    for text, label in pairs:
        for word in words(text):
            count[word][label] += 1
    for word, labels in count.items():
        for label, n in labels.items():
            precision, recall = n / sum(labels.values()), n / 500
            assert 2 * precision * recall / (precision + recall) < 0.65, (word, label)
            assert precision < 0.9 or recall < 0.3, (word, label)


def test_held_out_has_new_phrasings_or_new_goods(pairs):
    new = labelled_messages(make_world(0), 400, np.random.default_rng(1), "held_out")
    assert not {text for text, _ in pairs} & {text for text, _ in new}
    share = np.mean([any(good in text for good in HELD_GOODS) for text, _ in new])
    assert 0.4 < share < 0.6
    assert not any(re.search(rf"\b{good}s?\b", text) for text, _ in pairs for good in HELD_GOODS)


def test_phrasings_differ_and_are_enough():
    for label in LABELS:
        assert len(set(MESSAGES[label])) == 10 and len(set(HELD_MESSAGES[label])) == 3
        assert not set(MESSAGES[label]) & set(HELD_MESSAGES[label])


def test_texts_are_clean(pairs):
    for text, _ in pairs:
        assert text.isascii() and "{" not in text and "  " not in text and text == text.strip()
        assert len(text.split()) <= 30


def test_task_prompt_names_all_labels():
    assert all(label in TASK_PROMPT for label in LABELS)


def test_unknown_split_is_refused():
    with pytest.raises(ValueError, match="split"):
        labelled_messages(make_world(0), 1, np.random.default_rng(0), "dev")
