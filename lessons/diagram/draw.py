"""Draw the diagram that comes back in every lesson, with the lesson's part lit: diagram/NN.svg.

    python lessons/diagram/draw.py            write the 23 pictures
    python lessons/diagram/draw.py --check    write nothing; exit with status 1 if one differs

At the left one pass through the model, at the right the phases of its training. A lesson is a row of LIT.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
WIDTH, HEIGHT = 480, 470

# name: (x, y, width, height, label).  The label of a frame stands at its upper right corner.
BOXES = {
    "text": (40, 28, 150, 22, "text"),
    "tokenizer": (40, 62, 150, 22, "tokenizer"),
    "embedding": (40, 96, 150, 22, "embedding"),
    "norm1": (52, 140, 126, 20, "norm"),
    "attention": (52, 172, 126, 46, "attention"),
    "positions": (56, 196, 50, 17, "positions"),
    "cache": (110, 196, 64, 17, "keys, values"),
    "norm2": (52, 240, 126, 20, "norm"),
    "feed_forward": (52, 272, 126, 22, "feed-forward"),
    "norm": (40, 326, 150, 20, "norm"),
    "head": (40, 358, 150, 22, "head: logits"),
    "softmax": (40, 392, 150, 22, "softmax"),
    "loss": (22, 434, 50, 22, "loss"),
    "optimizer": (84, 434, 68, 22, "optimizer"),
    "sample": (164, 434, 58, 22, "sample"),
    "corpus": (290, 28, 164, 22, "five kinds of text"),
    "pretraining": (290, 68, 164, 22, "pretraining"),
    "base": (290, 108, 164, 22, "base model"),
    "fine_tuning": (290, 148, 164, 22, "fine-tuning"),
    "assistant": (358, 188, 96, 22, "assistant"),
    "prompt": (290, 188, 52, 22, "prompt"),
    "raters": (290, 236, 164, 22, "raters rank its answers"),
    "reward_model": (290, 276, 164, 22, "reward model"),
    "policy": (290, 322, 164, 22, "policy gradient"),
    "aligned": (290, 362, 164, 22, "aligned model"),
    "truth": (290, 408, 164, 22, "preferred, or true?"),
}
FRAME = (30, 128, 170, 176)         # the block
PHASES = ("pretraining", "fine_tuning", "raters", "reward_model", "policy")
CHIPS = ("positions", "cache")
MODEL = ("embedding", "norm1", "attention", "positions", "cache", "norm2", "feed_forward", "norm", "head")

# name: what a path says, and whether it is dashed (what flows back).
ARROWS = [("M115 50V62", ""), ("M115 84V96", ""), ("M115 118V140", ""), ("M115 160V172", ""), ("M115 218V240", ""),
          ("M115 260V272", ""), ("M115 294V326", ""), ("M115 346V358", ""), ("M115 380V392", ""),
          ("M47 414V434", ""), ("M193 414V434", ""), ("M72 445H84", ""),
          ("M115 132H42V229H113", ""), ("M115 234H42V312H113", ""),           # the residual stream
          ("M222 445H238V107H190", ""),                                         # a sampled token is read again
          ("M22 445H10V107H40", "back"),                                       # gradients
          ("M372 50V68", ""), ("M372 90V108", ""), ("M372 130V148", ""), ("M406 170V188", ""), ("M342 199H358", ""),
          ("M406 210V236", ""), ("M372 258V276", ""), ("M372 298V322", ""), ("M372 344V362", ""), ("M372 384V408", ""),
          ("M454 199H466V333H454", "")]

LIT = {
    "00": ("corpus", "pretraining", "base", "fine_tuning", "assistant", "raters", "reward_model", "policy", "aligned"),
    "01": ("text", "tokenizer"),
    "02": ("tokenizer", "embedding", "head", "softmax", "loss", "optimizer", "sample"),
    "03": ("softmax", "loss", "pretraining"),
    "04": (*MODEL, "softmax", "loss", "optimizer"),
    "05": ("embedding", "norm1", "norm2", "feed_forward", "norm", "head"),
    "06": ("attention",),
    "07": ("positions",),
    "08": ("attention", "cache"),
    "09": ("loss", "optimizer", "pretraining"),
    "10": ("softmax", "sample"),
    "11": ("corpus", "pretraining", "base"),
    "12": ("corpus", "base"),
    "13": ("base", "fine_tuning", "assistant"),
    "14": ("prompt", "assistant", "tokenizer", "sample"),
    "15": ("raters",),
    "16": ("raters", "reward_model"),
    "17": ("policy", "reward_model"),
    "18": ("raters", "reward_model", "policy", "aligned", "truth"),
    "19": (*MODEL, "corpus", "pretraining"),
    "20": (*MODEL, "softmax", "loss", "optimizer", "sample"),
    "21": (*MODEL, "text", "tokenizer", "softmax", "sample", "prompt", "assistant"),
    "22": ("attention", "feed_forward", "optimizer", "base", "fine_tuning", "assistant"),
}

# Outside a page (in an editor, on a code host) the picture has its colours from here; the site has them in its style sheet.
STYLE = """
.diagram { --paper: #fff; --ink: #23272e; --quiet: #8b929c; --wash: #f3f4f6; --accent: #b4480f; --on: #fff }
@media (prefers-color-scheme: dark) { .diagram { --paper: #14171b; --ink: #dde2e8; --quiet: #79828d; --wash: #20252b;
  --accent: #f0a06a; --on: #1b1209 } }
"""
LOOK = """
.diagram text { font: 12px system-ui, sans-serif; fill: var(--ink); text-anchor: middle }
.diagram .box rect { fill: var(--wash); stroke: var(--quiet); stroke-width: .8 }
.diagram .phase rect { rx: 11px }
.diagram .chip text { font-size: 9px }
.diagram .chip rect { fill: var(--paper) }
.diagram .lit rect { fill: var(--accent); stroke: var(--accent) }
.diagram .chip.lit rect { stroke: var(--paper) }
.diagram .lit text { fill: var(--on); font-weight: 600 }
.diagram .line { fill: none; stroke: var(--quiet); stroke-width: 1.1 }
.diagram .back { stroke-dasharray: 3 3 }
.diagram .frame { fill: none; stroke: var(--quiet); stroke-width: .8; stroke-dasharray: 1 3 }
.diagram .tip { fill: var(--quiet) }
.diagram .note { font-size: 10px; fill: var(--quiet) }
"""


def box(name, lit):
    """One labelled box."""
    x, y, width, height, label = BOXES[name]
    kind = "phase " if name in PHASES else "chip " if name in CHIPS else ""
    middle = y + (15 if name == "attention" else height / 2 + (3 if name in CHIPS else 4))
    return (f'<g class="box {kind}{"lit" if lit else ""}"><rect x="{x}" y="{y}" width="{width}" height="{height}" rx="4"/>'
            f'<text x="{x + width / 2:g}" y="{middle:g}">{label}</text></g>')


def words(lesson):
    """What is lit, for who does not see the picture."""
    return ", ".join(BOXES[name][4] for name in dict.fromkeys(LIT[lesson]))


def drawn(lesson):
    """The diagram of one lesson as SVG."""
    x, y, width, height = FRAME
    lines = [f'<path class="line {kind}" d="{path}" marker-end="url(#tip)"/>' for path, kind in ARROWS]
    notes = [(115, 17, "one pass through the model", 0), (372, 17, "how it is trained", 0), (208, 216, "block, L times", 90),
             (250, 250, "the next token is read again", 90), (4, 270, "gradients flow back", -90)]
    said = [f'<text class="note" x="{a}" y="{b}" transform="rotate({turn} {a} {b})">{text}</text>' for a, b, text, turn in notes]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" class="diagram" viewBox="-6 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img" '
        f'aria-label="The model and its training. This lesson is about: {words(lesson)}.">',
        f"<style>{STYLE}{LOOK}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" orient="auto">'
        '<path class="tip" d="M0 0L8 4L0 8z"/></marker></defs>',
        f'<rect class="frame" x="{x}" y="{y}" width="{width}" height="{height}" rx="8"/>',
        *lines, *(box(name, name in LIT[lesson]) for name in BOXES), *said, "</svg>"]) + "\n"


def main(argv):
    """Write the pictures, or check them."""
    differ = [path for lesson in LIT if not (path := HERE / f"{lesson}.svg").exists()
              or path.read_text(encoding="utf-8") != drawn(lesson)]
    for path in differ:
        print(f"{path.name}: {'differs' if '--check' in argv else 'written'}")
        if "--check" not in argv:
            path.write_text(drawn(path.stem), encoding="utf-8")
    return 1 if "--check" in argv and differ else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
