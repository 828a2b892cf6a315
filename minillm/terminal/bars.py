"""Horizontal bars for the terminal, and text that is safe to print there."""

import shutil
import sys

EIGHTHS = " ▏▎▍▌▋▊▉█"


def bar(share, width, blocks=True):
    """A bar of `share` (0 to 1) of `width` columns, in eighths of a column where the terminal can."""
    if not blocks:
        return "#" * round(share * width)
    whole, rest = divmod(round(share * width * 8), 8)
    return "█" * whole + EIGHTHS[rest].strip()


def can_show_blocks(stream=None):
    """Whether a stream's encoding has block characters."""
    try:
        EIGHTHS.encode(getattr(stream or sys.stdout, "encoding", None) or "ascii")
        return True
    except UnicodeEncodeError:
        return False


def bars(rows, width=None, blocks=True):
    """Lines of label, percentage and bar; the longest bar fills the width.

    rows: [(label, probability)] -> text
    """
    width = width or min(shutil.get_terminal_size((80, 24)).columns, 100)
    label_width = max((len(label) for label, _ in rows), default=0)
    room = max(width - label_width - 12, 8)
    longest = max((probability for _, probability in rows), default=0.0) or 1.0
    return "\n".join(f"  {label:<{label_width}} {100 * p:5.1f}%  {bar(p / longest, room, blocks)}".rstrip()
                     for label, p in rows)


def printable(text):
    """Text without control characters, which could move a terminal's cursor; line ends and tabs stay."""
    return "".join(c if c in "\n\t" or not (ord(c) < 32 or 127 <= ord(c) < 160) else "\ufffd" for c in text)
