"""Split text into pieces before byte-pair encoding; no merge crosses from one piece to the next.

A regular expression defines the pieces. The compiled loops find the same ones about ten times as
fast. They see characters by their kind alone (letter, number, ...), except for the space and for
what the end of a contraction is made of. The `regex` package itself says which kind a character is
of, so both go by the same version of Unicode.
"""

from functools import cache

import numpy as np

from minillm.kernels.twin import ordered, twin

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

# Kinds of characters: one bit for each of these groups
KINDS = r"([\p{L}\p{M}]+)|(\p{N}+)|([\r\n]+)|([^\S\r\n]+)|([^\s\p{L}\p{M}\p{N}]+)"
LETTER, NUMBER, LINE_END, BLANK, OTHER = 1, 2, 4, 8, 16
ASCII, UNICODE = 128, 0x110000      # how many characters there are
SPACE, APOSTROPHE = ord(" "), ord("'")
S, D, M, T, L, V, E, R = b"sdmtlver"


@cache
def compiled(pattern):
    """The compiled regular expression."""
    import regex  # supports \p{L}, a letter of any script; the standard library's re does not

    return regex.compile(pattern)


def characters_of(text):
    """The characters of a text as numbers.

    Shapes:  -> (N,) int32
    """
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.int32)


@cache
def kinds_of_characters(count):
    """The kind of each of the first ASCII or UNICODE characters; all of them take 50 ms.

    Shapes:  -> (count,) uint8
    """
    kinds = np.empty(count, np.uint8)
    text = np.arange(count, dtype=np.int32).tobytes().decode("utf-32-le", "surrogatepass")
    for run in compiled(KINDS).finditer(text):
        kinds[run.start():run.end()] = 1 << run.lastindex - 1
    return kinds


def piece_ends_plain(characters, ends, kinds):
    """Where the pieces of texts end; the texts lie end to end, text t up to ends[t].

    kinds: what kinds_of_characters gives.

    Shapes:  characters (N,) int32, ends (T,) int64 -> (P,) int64
    """
    found, start = [], 0
    for end in ends.tolist():
        text = characters[start:end].tobytes().decode("utf-32-le", "surrogatepass")
        found += [start + piece.end() for piece in compiled(PATTERN).finditer(text)]
        start = end
    return np.array(found, np.int64)


@ordered
def run_end(characters, at, end, kinds, wanted):
    """Where the characters of the wanted kinds that begin at `at` end; LONGEST of them at most."""
    end = min(end, at + LONGEST)
    while at < end and kinds[characters[at]] & wanted:
        at += 1
    return at


@ordered
def piece_end(characters, start, end, kinds):
    """Where the piece that begins at `start` ends, in a text that ends at `end`."""
    first = characters[start]
    second = characters[start + 1] if start + 1 < end else 0
    third = characters[start + 2] if start + 2 < end else 0
    if first == APOSTROPHE:
        if second == S or second == D or second == M or second == T:
            return start + 2
        if second == L and third == L or (second == V or second == R) and third == E:
            return start + 3
    if kinds[first] & NUMBER:
        return start + 2 if start + 1 < end and kinds[second] & NUMBER else start + 1
    word = start + 1 if first == SPACE and start + 1 < end else start
    kind = np.int64(kinds[characters[word]])
    if kind & (LETTER | OTHER):
        return run_end(characters, word, end, kinds, kind)
    stop = run_end(characters, start, end, kinds, BLANK | LINE_END)
    after = kinds[characters[stop]] & (BLANK | LINE_END) if stop < end else 0
    if after == LINE_END:       # after LONGEST blanks
        return run_end(characters, stop, end, kinds, after)
    line_end = stop
    while line_end > start and not kinds[characters[line_end - 1]] & LINE_END:
        line_end -= 1
    if line_end > start:
        return line_end
    # The last of several blanks belongs to what follows, unless that is a blank or the text's end.
    if stop == start + 1 or stop == end or after == BLANK:
        return stop
    return stop - 1


@twin(plain=piece_ends_plain, nogil=True)
def piece_ends(characters, ends, kinds):
    found, pieces, start = np.empty(len(characters), np.int64), 0, np.int64(0)
    for end in ends:
        while start < end:
            start = piece_end(characters, start, end, kinds)
            found[pieces] = start
            pieces += 1
    return found[:pieces].copy()
