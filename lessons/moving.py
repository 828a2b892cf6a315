"""What moves on the lessons' pages: the package computes the data when the site is built, site/moving.js moves them.

A small model is trained for it once (about a minute) and what it says is kept in runs/lessons/site.json, until this file or
the package changes. Each widget is a piece of HTML that reads without JavaScript too; its data stand in it as JSON.
"""

import hashlib
import html
import json
from pathlib import Path

import numpy as np

import workbench as w
from minillm.layers.rotary import rotary_table
from minillm.model.language_model import LanguageModel
from minillm.model.sampling import next_token_probs
from minillm.phases.pretrain import PretrainConfig, pretrain
from minillm.text.learning import train_tokenizer
from minillm.training.recorder import MemoryRecorder
from minillm.world.corpus import write_corpus
from minillm.world.facts import make_world

SIZES = {"smoke": dict(megabytes=0.05, vocab=400, steps=3, looks=(0, 1, 3)),
         "trial": dict(megabytes=0.2, vocab=500, steps=120, looks=(0, 1, 3, 10, 30, 60, 120)),
         "default": dict(megabytes=1.0, vocab=768, steps=600, looks=(0, 1, 3, 10, 30, 60, 100, 150, 200, 300, 400, 500, 600))}
PROMPT, NEXT = "The ", "The boats near the"       # of the samples; of the next token's distribution
BETAS = np.geomspace(8.0, 0.25, 41)         # letters a nat: what one nat of divergence costs


# The data ------------------------------------------------------------------------------------------------------------

class Looks(MemoryRecorder):
    """Samples the model while it trains."""

    def __init__(self, model, at):
        super().__init__()
        self.model, self.at, self.samples = model, at, []
        self.look(0)

    def look(self, step):
        """Keep a sample after some steps."""
        if step in self.at:
            text = self.model.generate(PROMPT, max_new_tokens=45, temperature=0.7, seed=1)
            self.samples.append({"step": step, "text": printable(text)})

    def add(self, record):
        """Keep one step's record, and look."""
        super().add(record)
        self.look(record["step"] + 1)


def trained(megabytes, vocab, steps, looks):
    """(a small model that has read the world's texts, its steps' losses and samples)."""
    texts = [document.text for document in write_corpus(make_world(0), megabytes, kinds=["stories"])]
    tokenizer = train_tokenizer(texts, vocab)
    stream = tokenizer.encode_documents(texts)
    model = w.small_model(tokenizer, 0, layers=3, context=48)
    recorder = Looks(model, looks)
    settings = PretrainConfig(steps=steps, rows=16, lr=4e-3, warmup_share=min(1, 20 / steps), short_share=0,
                              validation_every=steps)
    pretrain(model, stream, stream[:0], settings, 0, recorder)
    losses = [record["loss"] for record in recorder.records]
    first = float(np.log(tokenizer.vocab_size))
    smooth = [float(np.mean(losses[max(0, n - 10):n])) if n else first for n in range(len(losses) + 1)]
    for sample in recorder.samples:
        sample["loss"] = smooth[sample["step"]]
    return model, {"losses": rounded(smooth, 3), "samples": recorder.samples}, texts


def rounded(values, digits):
    """Nested lists of numbers with a few digits, which keeps a page small."""
    return np.round(np.asarray(values, float), digits).tolist()


def printable(text):
    """A text without control characters, which no page can show."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def pieces(model, ids):
    """Each token's text."""
    return [printable(model.tokenizer.decode([token])) for token in ids]


def sampling_data(model):
    """The logits of every token after a prompt, the likeliest first."""
    logits = model.logits(model.prompt_ids(NEXT))[-1]
    order = np.argsort(-logits, kind="stable")
    return {"prompt": NEXT, "tokens": pieces(model, order), "logits": rounded(logits[order], 4)}


def attention_data(model, sentence):
    """Each head's weights over a sentence: what the kernel never stores.  Shapes:  -> weights (L, H, T, T)"""
    ids = model.prompt_ids(sentence)
    layers = []
    for block in model.predict_next(ids).body.blocks:
        q, k = block.attention.q[0], block.attention.k[0]                       # (T, H, D), rotated already
        scores = np.einsum("thd,shd->hts", q, k) / np.sqrt(q.shape[-1])
        scores = np.where(np.tri(len(q), dtype=bool), scores, -np.inf)
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        layers.append(weights / weights.sum(axis=-1, keepdims=True))
    return {"tokens": ["begin", *pieces(model, ids[1:])], "weights": rounded(layers, 3)}


def lens_data(model, sentence, shown=5):
    """What each token's vector predicts after 0, 1, ... L blocks, read by the final norm and the head.

    Source:  nostalgebraist 2020, "interpreting GPT: the logit lens".
    """
    ids, layers = model.prompt_ids(sentence), []
    for depth in range(model.config.layers + 1):
        cut = LanguageModel({**model.params, "blocks": model.params["blocks"][:depth]}, model.config, model.tokenizer)
        probs = next_token_probs(cut.logits(ids))
        best = np.argsort(-probs, axis=1, kind="stable")[:, :shown]
        layers.append([[[text, round(float(p), 3)] for text, p in zip(pieces(model, row), probs[t, row])]
                       for t, row in enumerate(best)])
    return {"tokens": ["begin", *pieces(model, ids[1:])], "layers": layers}


def frontier_data(model):
    """One-token responses to a prompt, all listed: each one's log-probability, and its letters as the reward."""
    probs = next_token_probs(model.logits(model.prompt_ids(NEXT))[-1:])[0]
    order = np.argsort(-probs, kind="stable")
    texts = pieces(model, order)
    probs, reward = probs[order], np.array([sum(c.isalpha() for c in text) for text in texts], float)
    tilted = [tilt(probs, reward, beta) for beta in BETAS]
    sharp = [spot(probs ** (1 / t) / (probs ** (1 / t)).sum(), probs, reward) for t in np.linspace(1.0, 0.1, 19)]
    best = [spot(best_of(probs, reward, n), probs, reward) for n in (1, 2, 4, 8, 16)]
    return {"prompt": NEXT, "tokens": texts, "probs": [float(f"{p:.4g}") for p in probs], "reward": reward.astype(int).tolist(),
            "betas": rounded(BETAS, 3), "frontier": rounded([spot(p, probs, reward) for p in tilted], 4),
            "sharpened": rounded(sharp, 4), "best_of": rounded(best, 4)}


def tilt(probs, reward, beta):
    """The exact optimum of E[r] - beta KL:  p exp(r / beta), normalized.  Shapes:  (V,), (V,) -> (V,)"""
    weights = probs * np.exp((reward - reward.max()) / beta)
    return weights / weights.sum()


def spot(p, start, reward):
    """(KL from the start in nats, mean reward)."""
    seen = p > 0
    return float((p[seen] * np.log(p[seen] / start[seen])).sum()), float(p @ reward)


def best_of(probs, reward, n):
    """The distribution of the best of n draws; of equal rewards, the first drawn.

        P(x) = p(x) (F(r)^n - F(<r)^n) / (F(r) - F(<r)),   F: the share of draws with at most this reward
    """
    below = np.array([probs[reward < r].sum() for r in reward])
    upto = np.array([probs[reward <= r].sum() for r in reward])
    return probs * (upto ** n - below ** n) / (upto - below)


def rotation_data(head_size=16, theta=500.0, places=24):
    """The angles by which the pairs of a head are turned, from the package's table.  Shapes:  cos, sin (places, D/2)"""
    cos, sin = rotary_table(places, head_size, theta, np.float64)
    query, key = np.random.default_rng(1).standard_normal((2, 2, head_size // 2))
    return {"cos": rounded(cos[:places], 6), "sin": rounded(sin[:places], 6), "query": rounded(query, 4), "key": rounded(key, 4)}


def sentence_of(texts, tokenizer, most=18):
    """The first sentence of the texts that has a name twice, so that there is something to look back at."""
    for text in texts:
        sentence = text.split(".")[0] + "."
        words = [word.strip(",") for word in sentence.split() if word[0].isupper() and len(word) > 3]
        if len(set(words)) < len(words) and 8 <= len(tokenizer.encode(sentence)) <= most:
            return sentence
    return texts[0][:40]


def measured(size):
    """All data of the widgets."""
    model, steps, texts = trained(**SIZES[size])
    sentence = sentence_of(texts, model.tokenizer)
    return {"steps": steps, "sampling": sampling_data(model), "attention": attention_data(model, sentence),
            "lens": lens_data(model, sentence), "frontier": frontier_data(model), "rotation": rotation_data()}


def kept(size):
    """The data, from runs/lessons/site.json if nothing has changed since they were computed."""
    package = Path(w.__file__).resolve().parents[1] / "minillm"
    files = [Path(__file__), *sorted(package.rglob("*.py"))]
    key = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    path = w.KEPT / "site.json"
    if size == "default" and path.exists():
        saved = json.loads(path.read_text(encoding="utf-8"))
        if saved["key"] == key:
            return saved["data"]
    if size == "default":
        print("training a small model for the pages, once (about a minute)", flush=True)
    data = measured(size)
    if size == "default":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"key": key, "data": data}), encoding="utf-8")
    return data


# The HTML ------------------------------------------------------------------------------------------------------------

def widget(name, title, words, body, data):
    """One thing to move: title, a sentence, what stands there without JavaScript, and the data."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    return (f'<section class="moving" data-widget="{name}"><h3>{title}</h3><p>{words}</p><div class="stage">{body}</div>'
            f'<script type="application/json">{text}</script></section>')


def table(columns, rows):
    """A table as HTML; cells are text."""
    def cells(row, tag):
        return "".join(f"<{tag}>{html.escape(str(cell))}</{tag}>" for cell in row)
    return (f'<div class="table"><table><thead><tr>{cells(columns, "th")}</tr></thead><tbody>'
            + "".join(f'<tr>{cells(row, "td")}</tr>' for row in rows) + "</tbody></table></div>")


def bars(rows):
    """Bars of probabilities: rows of (text, share)."""
    return '<div class="bars">' + "".join(
        f'<code>{html.escape(shown(text))}</code><div class="bar-of"><i style="width:{100 * p:.1f}%"></i></div>'
        f"<span>{p:.3f}</span>"
        for text, p in rows) + "</div>"


def shown(text):
    """A token's text with its blanks to be seen."""
    return text.replace(" ", "␣").replace("\n", "⏎") or "∅"


def steps_widget(data):
    rows = [(s["step"], f"{s['loss']:.2f}", PROMPT + s["text"]) for s in data["samples"]]
    return widget("steps", "A model learns to write",
                  "A small model with three blocks reads short stories. After some steps it is "
                  "asked to go on from &ldquo;The&rdquo;: move along its training. The loss is in nats a token.",
                  table(("step", "loss", "sample"), rows), data)


def sampling_widget(data):
    probs = next_token_probs(np.array([data["logits"]]))[0]
    return widget("sampling", "Temperature, top-k, top-p",
                  f"What the small model gives as the next token after &ldquo;{data['prompt']}&rdquo;. "
                  "Tokens that are cut are pale; the rest is divided anew.", bars(list(zip(data["tokens"], probs))[:14]), data)


def attention_widget(data):
    weights = np.array(data["weights"])
    rows = [(shown(token), *(f"{weights[0, h, t, :].argmax()}: {shown(data['tokens'][int(weights[0, h, t, :].argmax())])}"
                             for h in range(weights.shape[1]))) for t, token in enumerate(data["tokens"])]
    return widget("attention", "Where each head looks",
                  "A sentence that the small model reads. A row is the token that is being read, a column "
                  "a token that it may look at; the darker, the more attention.",
                  "<p>Where each head of the first layer looks most:</p>"
                  + table(("reading", *(f"head {h}" for h in range(weights.shape[1]))), rows), data)


def lens_widget(data):
    rows = [(shown(token), *(f"{shown(layer[t][0][0])} {layer[t][0][1]:.2f}" for layer in data["layers"]))
            for t, token in enumerate(data["tokens"])]
    return widget("lens", "A token's vector through the layers",
                  "After each block the vector of a token is read as if it were the last: by the "
                  "final norm and the head. So one sees the prediction form. (This is called the logit lens.)",
                  table(("after", "embedding", *(f"block {n}" for n in range(len(data["layers"]) - 1))), rows), data)


def frontier_widget(data):
    rows = [(f"{data['betas'][n]:.2f}", *(f"{x:.2f}" for x in data["frontier"][n])) for n in range(0, len(data["betas"]), 5)]
    return widget("frontier", "Reward against divergence",
                  f"Responses of one token after &ldquo;{data['prompt']}&rdquo;, and a rater who pays one for each letter. "
                  "No policy is above the frontier: each of its points maximizes reward less &beta; times the KL divergence from "
                  "the model. "
                  "Best-of-n comes near; lowering the temperature, which knows no reward, is the control.",
                  table(("beta", "KL, nats", "letters"), rows), data)


def rotation_widget(data):
    cos, sin = np.array(data["cos"]), np.array(data["sin"])
    angles = np.degrees(np.arctan2(sin, cos))
    rows = [(pair, *(f"{angles[place, pair]:.0f}°" for place in (0, 1, 2, 3, 8, 16))) for pair in range(cos.shape[1])]
    return widget("rotation", "A rotation that turns",
                  "A query at place t and a key at place s: each pair of channels is turned by its own angle. "
                  "Move both by as much, and the score stays; only the distance counts.",
                  table(("pair", *(f"place {p}" for p in (0, 1, 2, 3, 8, 16))), rows), data)


def widgets(size="default"):
    """{number of a lesson: [HTML of its things to move]}."""
    data = kept(size)
    steps = steps_widget(data["steps"])
    return {"04": [lens_widget(data["lens"])], "03": [steps], "06": [attention_widget(data["attention"])],
            "07": [rotation_widget(data["rotation"])], "09": [steps], "10": [sampling_widget(data["sampling"])],
            "17": [frontier_widget(data["frontier"])]}
