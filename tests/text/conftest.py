"""One small text and the tokenizers trained on it."""

import pytest
from hypothesis import settings

from minillm.text.learning import train_tokenizer

settings.register_profile("no_deadline", deadline=None)  # the first call of a kernel compiles it
settings.load_profile("no_deadline")

TEXT = """The mill stands where the river bends. Every morning the miller opens the gate, and the water
turns the wheel; every evening the miller closes the gate, and the wheel stands still.

In 1987 the mill ground 1,250 sacks of wheat, and in 1988 it ground 1,310. "That's more than we'll ever
need," said the miller's daughter, but the bakers didn't agree: they'd have taken 2,000.

def grind(sacks):
    flour = []
    for sack in sacks:
        if sack.dry:
            flour.append(sack.weight * 0.78)
    return flour
""" * 3


@pytest.fixture(scope="session")
def text():
    return TEXT


@pytest.fixture(scope="session")
def bpe():
    return train_tokenizer([TEXT], 320)


@pytest.fixture(scope="session")
def characters():
    return train_tokenizer([TEXT], kind="characters")
