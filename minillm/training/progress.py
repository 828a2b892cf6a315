"""What a training says while it runs: on a terminal one line that is redrawn, elsewhere a log."""

import sys
import textwrap
import time
from contextlib import suppress

WIDTH = 80              # columns
FIGURES = {"loss": "loss", "validation_loss": "val loss", "pair_accuracy": "pairs right",
           "reward": "reward", "kl": "KL"}      # of a step's record, and what they are called
LINES = 10              # least number of lines in the log of a whole training
SILENCE = 10.0          # longest time between two lines of a log, in seconds


class Terminal:
    """Standard error, for what may be lost: if it cannot be written to, the training goes on."""

    def write(self, text):
        with suppress(OSError):
            sys.stderr.write(text)

    def flush(self):
        with suppress(OSError):
            sys.stderr.flush()

    def __getattr__(self, name):
        return getattr(sys.stderr, name)


class Progress:
    """How far one training is, and its newest figures.

    On a terminal one line is redrawn. A log gets a line for the first and the last step, for every
    tenth of the steps, whenever the validation loss was measured, and after 10 seconds of silence.
    """

    def __init__(self, name, steps, start, quiet=False):
        self.name, self.steps, self.start, self.quiet = name, steps, start, quiet
        self.figures = {}       # the newest of each kind
        self.began = self.spoke = time.monotonic()
        self.bar = None         # the line on a terminal

    def __enter__(self):
        if not self.quiet and sys.stderr.isatty():
            from tqdm import tqdm

            line = "{desc}: step {n_fmt}/{total_fmt}{postfix}, {remaining} left"
            self.bar = tqdm(total=self.steps, initial=self.start, desc=self.name, bar_format=line,
                            mininterval=0.5, dynamic_ncols=True, file=Terminal())
        return self

    def __exit__(self, *error):
        if self.bar is not None:
            self.bar.close()

    def step(self, record):
        """Show the record of one step."""
        self.figures.update((key, record[key]) for key in FIGURES if key in record)
        if self.bar is not None:
            self.bar.set_postfix_str(self.told(record), refresh=False)
            self.bar.update()
        elif not self.quiet and self.is_due(record):
            if "validation_loss" not in record:     # measured at another step
                self.figures.pop("validation_loss", None)
            done, self.spoke = record["step"] + 1, time.monotonic()
            left = (self.spoke - self.began) / (done - self.start) * (self.steps - done)
            minutes, seconds = divmod(round(left), 60)
            self.show(f"{self.name}: step {done}/{self.steps}, {self.told(record)}, "
                      f"{minutes:02}:{seconds:02} left", indent="")

    def is_due(self, record):
        """Whether a log gets a line for this step."""
        done = record["step"] + 1
        return (done in (self.start + 1, self.steps) or done % max(1, self.steps // LINES) == 0
                or "validation_loss" in record or time.monotonic() - self.spoke > SILENCE)

    def told(self, record):
        """The newest figures, and the speed of this step; a reward says more than its loss."""
        figures = [f"{name} {self.figures[key]:.3f}" for key, name in FIGURES.items()
                   if key in self.figures and not (key == "loss" and "reward" in self.figures)]
        unit = "pairs" if "pair_accuracy" in record else "tok"
        return ", ".join([*figures, f"{record['weight'] / record['seconds']:,.0f} {unit}/s"])

    def show(self, text, indent="    "):
        """A text of its own lines: above the line on a terminal, or as the next lines of a log."""
        if self.quiet:
            return
        text = wrapped(text, indent)
        if self.bar is not None:
            self.bar.write(text, file=Terminal())
        else:
            Terminal().write(text + "\n")
            Terminal().flush()


def wrapped(text, indent=""):
    """A text in lines of at most 80 columns, each after `indent`."""
    return "\n".join(textwrap.fill(line, WIDTH, initial_indent=indent, subsequent_indent=indent,
                                   replace_whitespace=False) for line in text.split("\n"))


def filled(sentence, indent="  "):
    """A sentence in lines of at most 80 columns, of which the first is not indented.

    A path is never broken: it may be copied from there.
    """
    return textwrap.fill(sentence, WIDTH, subsequent_indent=indent, break_long_words=False,
                         break_on_hyphens=False)
