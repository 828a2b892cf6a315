"""Text in pieces, mostly words: kernels/split.py says where they end."""

import numpy as np

from minillm.kernels.split import (ASCII, LONGEST, UNICODE, characters_of, compiled,
                                   kinds_of_characters, piece_ends)

CHARACTERS_A_CALL = 1 << 19     # of a text that are split together: it bounds memory
REACH = 2 * LONGEST + 1         # characters, from a piece's first on, that its end depends on
BREAK = r"(?<=\S)(?=\s)"       # here a piece ends, whatever is before and after
CUT = r"(?<=\S)|(?=\s)"        # a piece that ends here, ends here at the end of a part too


def find_pieces(texts):
    """Return the characters of all texts end to end, where pieces end, and where texts end.

    Shapes:  -> (N,) int32, (P,) int64, (len(texts),) int64
    """
    text, ends = "".join(texts), np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)))
    characters = characters_of(text)
    kinds = kinds_of_characters(ASCII if text.isascii() else UNICODE)
    return characters, piece_ends(characters, ends, kinds), ends


def parts_of(text):
    """Yield parts of a text, of CHARACTERS_A_CALL or a few more, whose pieces are the text's."""
    start = 0
    while len(text) - start > CHARACTERS_A_CALL:
        stop = _cut(text, start)
        yield text[start:stop]
        start = stop
    yield text[start:]


def _cut(text, start):
    """Where to end the part that begins at `start`."""
    least = start + CHARACTERS_A_CALL
    found = compiled(BREAK).search(text, least, least + REACH)
    if found:
        return found.start()
    _, ends, _ = find_pieces([text[start:least + 2 * REACH]])
    ends = ends[start + ends >= least].tolist()
    return next((start + end for end in ends if compiled(CUT).match(text, start + end)), len(text))


def split_pieces(text):
    """Yield the pieces of a text in order; joined, they give the text again."""
    for part in parts_of(text):
        start = 0
        for end in find_pieces([part])[1].tolist():
            yield part[start:end]
            start = end


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
