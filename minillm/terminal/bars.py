"""Horizontal bars for the terminal, and text that is safe to print there."""

import shutil
import sys

EIGHTHS = " ▏▎▍▌▋▊▉█"  # a block of 0 to 8 eighths of a column


def bar(share, width, blocks=True):
    """A bar that fills `share` (0 to 1) of `width` columns.

    Blocks are exact to an eighth of a column; without them, the bar is whole "#" characters.
    """
    if not blocks:
        return "#" * round(share * width)
    whole, rest = divmod(round(share * width * 8), 8)
    return "█" * whole + EIGHTHS[rest].strip()


def can_show_blocks(stream=None):
    """Whether a stream's encoding (standard output by default) has the block characters."""
    try:
        EIGHTHS.encode(getattr(stream or sys.stdout, "encoding", None) or "ascii")
        return True
    except UnicodeEncodeError:
        return False


def bars(rows, width=None, blocks=True):
    """Text with one line for each of the rows [(label, probability)]: label, percentage, bar.

    The line with the longest bar fills `width` columns, by default the terminal's (at most 100).
    """
    width = width or min(shutil.get_terminal_size((80, 24)).columns, 100)
    label_width = max((len(label) for label, _ in rows), default=0)
    room = max(width - label_width - 12, 8)
    longest = max((probability for _, probability in rows), default=0.0) or 1.0
    lines = (f"  {label:<{label_width}} {100 * p:5.1f}%  {bar(p / longest, room, blocks)}"
             for label, p in rows)
    return "\n".join(line.rstrip() for line in lines)


def printable(text):
    """Text with U+FFFD for each control character except line ends and tabs.

    A control character could move the terminal's cursor.
    """
    return "".join("\ufffd" if c not in "\n\t" and (ord(c) < 32 or 127 <= ord(c) < 160) else c
                   for c in text)
