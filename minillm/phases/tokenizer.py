"""Before phase 1: a vocabulary is learned from the training text."""

from dataclasses import dataclass

from minillm.config import Dials, knob, require
from minillm.text.learning import train_tokenizer
from minillm.text.tokenizer import BYTES_AND_CONTROL, CONTROL


@dataclass(frozen=True)
class TokenizerConfig(Dials):
    """Learn a vocabulary from text."""
    vocab_size: int = knob(3584, "tokens in the vocabulary, control tokens included",
                           within=f"[{len(CONTROL) + 1}, inf)")
    kind: str = knob("bpe", "byte-level pair merging, or one token per byte that occurs",
                     ("bpe", "characters"))

    def __post_init__(self):
        super().__post_init__()
        require(self.kind != "bpe" or self.vocab_size >= BYTES_AND_CONTROL,
                f"vocab_size is {self.vocab_size}; bytes and control tokens already need "
                f"{BYTES_AND_CONTROL}")


def learn_vocabulary(train, validation, settings):
    """A tokenizer trained on the training texts.

    kind "characters" has one token per byte that occurs. A byte that occurs only in the validation
    texts needs a token too, so this vocabulary is learned from both.
    """
    texts = train if settings.kind == "bpe" else train + validation
    return train_tokenizer(texts, settings.vocab_size, settings.kind)
