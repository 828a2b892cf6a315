"""Splits text into pieces; byte-pair merges never cross from one piece into the next."""

from functools import lru_cache

# Alternatives, tried in this order: English contractions | a word with the space before it | one or
# two digits, so that numbers are cut alike everywhere | punctuation with the space before it | line
# ends with the blank space before them | indentation up to the last space, which goes with the word.
PATTERN = "|".join([
    r"'(?:[sdmt]|ll|ve|re)",
    r" ?[\p{L}\p{M}]+",
    r"\p{N}{1,2}",
    r" ?[^\s\p{L}\p{M}\p{N}]+",
    r"\s*[\r\n]+",
    r"\s+(?!\S)",
    r"\s+",
])


@lru_cache(maxsize=1)
def _compiled():
    import regex  # \p{L}: letters of every script; the standard library's re cannot say that

    return regex.compile(PATTERN)


def split_pieces(text):
    """Yield the pieces of a text one after the other; joined, they are the text again."""
    return (match.group() for match in _compiled().finditer(text))


def replace_surrogates(text):
    """Put U+FFFD for each half of a surrogate pair, which UTF-8 cannot hold."""
    try:
        text.encode("utf-8")
        return text
    except UnicodeEncodeError:
        return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)
