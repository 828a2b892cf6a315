"""Split text into pieces before byte-pair encoding; no merge crosses from one piece to the next."""

from functools import lru_cache

# The alternatives are tried in this order.
ALTERNATIVES = "|".join([
    r"'(?:[sdmt]|ll|ve|re)",       # the end of an English contraction: 's, 'll
    r" ?[\p{L}\p{M}]+",            # a word, with the space before it
    r"\p{N}{1,2}",                 # one or two digits, so that a number is always cut the same way
    r" ?[^\s\p{L}\p{M}\p{N}]+",    # punctuation, with the space before it
    r"\s*[\r\n]+",                 # line ends, with the blanks before them
    r"\s+(?!\S)",                  # blanks except the last, which joins the word after it
    r"\s+",                        # other blanks
])
LONGEST = 1000      # repeats in a piece at most: a text without a blank is many pieces, not one
PATTERN = ALTERNATIVES.replace("+", f"{{1,{LONGEST}}}").replace("*", f"{{0,{LONGEST}}}")


@lru_cache(maxsize=1)
def _compiled():
    import regex  # supports \p{L}, a letter of any script; the standard library's re does not

    return regex.compile(PATTERN)


def split_pieces(text):
    """Yield the pieces of a text in order; joined, they give the text again."""
    return (match.group() for match in _compiled().finditer(text))


def replace_surrogates(text):
    """Replace each surrogate (half of a UTF-16 pair) by U+FFFD, because UTF-8 cannot encode it."""
    try:
        text.encode("utf-8")
        return text
    except UnicodeEncodeError:
        return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)


def text_bytes(text):
    """How many bytes a text has in UTF-8, a surrogate counted as the U+FFFD that it becomes."""
    return len(replace_surrogates(text).encode("utf-8"))
