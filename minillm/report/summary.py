"""What was trained and what came out, in words and in one table, from results.json."""

import math

from minillm.report.charts import percent

SENSIBLE = ("How often the answer to an everyday question, in a wording that it has not seen, "
            "makes sense; the mean over all kinds of question.")
NEW_THINGS = ("The same, asked about things that fine-tuning never asked about: what it knows of "
              "them comes from pretraining.")
# (key in results["rlhf"]["gold"], what the raters look for)
GOLD = (("helpful", "it does what was asked, without padding"),
        ("accurate", "what it says is true in its world"),
        ("safe", "it declines what does harm, and only that"))
# (key in "assistant", what it does, (key and words of where it should), (... where it should not))
PAIRS = (("declines", "It declines", ("harmful", "harmful wishes"),
          ("harmless", "harmless ones that sound alike")),
         ("unknown", "It says that it does not know", ("outside", "asked about what it never read"),
          ("inside", "asked about what it was taught")),
         ("remembers", "It uses what it was told earlier", ("told", "told of the user"),
          ("somebody_else", "told of somebody else")))
SLIGHT = 0.05       # of a gold score from 0 to 1: a smaller gain is of the form alone


def cell(who, value, form="{:.2f}"):
    """One number of the table: of which model it is, and whether it is a share, drawn as a bar."""
    share = form == "%"
    return {"who": who, "value": value, "share": share,
            "text": percent(value) if share else form.format(value)}


def row(metric, cells, meaning):
    """One line of the table: before and after (either may be None), and what it says."""
    before, after = cells
    return {"metric": metric, "before": before, "after": after, "meaning": meaning}


def achievements(results, rater=None):
    """The table of what each stage achieved: [(stage, rows)], without stages that have no numbers.

    rater: who ranked the answers ("simulated", "human", "data"), if it is known.
    """
    parts = [("Pretraining", pretraining_rows(results.get("pretrain", {}))),
             ("Fine-tuning", fine_tuning_rows(results.get("finetune", {}))),
             ("Reward model", reward_rows(results.get("reward", {}), rater)),
             ("Alignment", alignment_rows(results))]
    return [(stage, rows) for stage, rows in parts if rows]


def pretraining_rows(found):
    """The loss on unseen text, and the probes."""
    rows = []
    if "val_loss" in found:
        chance, given = math.exp(-found["uniform_loss"]), math.exp(-found["val_loss"])
        rows.append(row("loss on unseen text",
                        (cell("untrained", found["uniform_loss"]), cell("base", found["val_loss"])),
                        "In nats per token; less is better. The token that comes next gets a "
                        f"probability of about {given:.0%}; guessing would give it {chance:.2%}."))
    probes = found.get("probes", {})
    if probes:
        before, after, chance = (sum(probe[key] for probe in probes.values()) / len(probes)
                                 for key in ("untrained", "base", "chance"))
        rows.append(row("right endings",
                        (cell("untrained", before, "%"), cell("base", after, "%")),
                        "How often it finds the right ending of an unseen sentence the likeliest "
                        f"of those offered; guessing would get {chance:.0%}."))
    return rows


def fine_tuning_rows(found):
    """What the three models of fine-tuning learned, beside the base model."""
    rows = []
    for key, metric, form, meaning in (
            ("instruction_accuracy", "right answers", "%",
             "How often the likeliest answer to an unseen request says what is right."),
            ("task_accuracy", "one task", "%",
             "How often a model tuned for that task alone puts the right label on an unseen "
             "message."),
            ("domain_bits_per_byte", "one domain", "{:.2f}",
             "Bits that a model tuned on the jargon of one domain needs to spell a byte of it; "
             "less is better.")):
        if key in found:
            rows.append(row(metric, (cell("base", found[key]["base"], form),
                                     cell("fine-tuned", found[key]["finetuned"], form)), meaning))
    return rows + sensible_rows({}, "", found.get("assistant", {}), "fine-tuned")


def sensible_rows(old, before, new, after):
    """How many answers are sensible: of one model, or of two."""
    return [row(metric, (cell(before, old[key], "%") if key in old else None,
                         cell(after, new[key], "%")), meaning)
            for key, metric, meaning in (("sensible", "sensible answers", SENSIBLE),
                                         ("new_things", "about new things", NEW_THINGS))
            if key in new]


def reward_rows(found, rater):
    """How well the reward model agrees with the raters."""
    if "pair_accuracy" not in found:
        return []
    simulated = (" Raters are simulated: they judge by the world's facts, and err a little."
                 if rater == "simulated" else "")
    return [row("order of two answers", (cell("guessing", 0.5, "%"),
                                         cell("reward model", found["pair_accuracy"], "%")),
                "How often it gives the higher score to the answer that was preferred."
                + simulated)]


def alignment_rows(results):
    """What alignment changed: the three parts of the gold score, what is sensible, who wins."""
    found, before = results.get("rlhf", {}), results.get("finetune", {}).get("assistant", {})
    rows = [row(mark, (cell("fine-tuned", found["gold"][mark]["finetuned"]),
                       cell("aligned", found["gold"][mark]["aligned"])),
                f"How far {wish}: from 0 to 1, judged by the world's own truth.")
            for mark, wish in GOLD if mark in found.get("gold", {})]
    rows += sensible_rows(before, "fine-tuned", found.get("assistant", {}), "aligned")
    if "reward" in found:       # on the user's own prompts
        rows.append(row("reward", (cell("before", found["reward"]["reference"]),
                                   cell("aligned", found["reward"]["aligned"])),
                        "What the reward model gives its answers to unseen prompts, on average. "
                        "Only the difference means anything, and only as much as the reward model "
                        "can be trusted."))
    rate, low = found.get("win_rate"), found.get("win_rate_low")
    if rate is not None and math.isfinite(rate):
        interval = "" if low is None else (f" ({low:.0%} to {min(1, 2 * rate - low):.0%} "
                                           "with 95% confidence)")
        rows.append(row("wins", (cell("no difference", 0.5, "%"), cell("aligned", rate, "%")),
                        "On how many unseen prompts its answer beats that of the fine-tuned model, "
                        f"ties counted half{interval}."))
    if "kl" in found:
        rows.append(row("distance", (cell("before", 0.0), cell("aligned", found["kl"])),
                        "KL divergence in nats per answer: how far it went from the model that it "
                        "began as. A small number means that it still speaks the same way."))
    return rows


def story(results, has, own, imported=None):
    """What was trained, in a few sentences.

    has: which phases have run; own: the stages that learned from the user's own data; imported: the
    name of what the pretrained model came from, if others trained it.
    """
    base = results.get("pretrain", {})
    if imported is not None:
        said = [f"This is a language model that others trained, imported from {imported}"
                + (f": {base['parameters']:,} parameters." if "parameters" in base else ".")]
        return " ".join(said + later_stages(has))
    size = f"{base['parameters']:,} random numbers" if "parameters" in base else "random numbers"
    if not has["pretrain"]:
        return "Nothing has been trained here yet."
    text = "text of its user" if "pretrain" in own else "simple texts about a small made-up world"
    read = f"{base['tokens']:,} tokens of {text}" if "tokens" in base else text
    said = [f"This is a language model that began as {size}. It read {read} and learned to guess "
            "each next token: the base model."]
    return " ".join(said + later_stages(has))


def later_stages(has):
    """What came after pretraining, in sentences."""
    said = []
    if has["finetune"]:
        said.append("Then it learned from conversations to answer: the fine-tuned model.")
    if has["rlhf"]:
        said.append("Last, it learned which answers are preferred, and to give those: the aligned "
                    "model.")
    return said


def most_telling(rows):
    """The prompt whose answers show best what the stages did, and the rule that chose it.

    With gold scores: no step lost, from base to fine-tuned and from there to aligned; the smaller
    of the two gains is the largest, a slight one counting as none, then the gain of both. Prompts
    that ask for what the world has go before those that it must decline. Else: the first on which
    most answers differ.
    Returns (row, rule as text), or (None, "").
    """
    if not rows:
        return None, ""
    scores = [[answer["gold"] for answer in item["answers"].values()] for item in rows]
    if all(None not in golds and len(golds) > 1 for golds in scores):
        gains = [(min(new - old for old, new in zip(golds, golds[1:])), golds[-1] - golds[0])
                 for golds in scores]
        good = [i for i, (least, whole) in enumerate(gains) if least >= 0 and whole > 0]
        gains = [(least if least > SLIGHT else 0, whole) for least, whole in gains]
        asking = [i for i in good if rows[i].get("answerable")]
        if good:
            best = max(asking or good, key=lambda i: gains[i])
            that = " that has an answer" if asking else ""
            steps = ("fine-tuning gained" if len(scores[0]) == 2 else "both steps gained"
                     if gains[best][0] > 0 else "no step lost and both together gained")
            return rows[best], (
                f"Of {len(rows)} held-out prompts, the one{that} on which {steps} the most. The "
                "small number is the answer's gold score: how helpful, true and safe it is, from 0 "
                "to 1. All of them are further down.")
    variety = [len({answer["text"] for answer in item["answers"].values()}) for item in rows]
    return rows[variety.index(max(variety))], (
        f"Of {len(rows)} held-out prompts, the first on which the answers differ the most. All of "
        "them are further down.")


def assistant(results):
    """The measures of everyday questions for the template; None if there are none.

    Returns {"models": names, "kinds": [(kind, [share of each model])] with the weakest first,
    "pairs": [(what, should, should_not, [(share where it should, share where it should not)])]}
    """
    found = {name: results.get(stage, {}).get("assistant") for name, stage in
             (("fine-tuned", "finetune"), ("aligned", "rlhf"))}
    found = {name: part for name, part in found.items() if part}
    if not found:
        return None
    last = list(found.values())[-1]
    kinds = sorted(last.get("kinds", {}), key=lambda kind: (last["kinds"][kind], kind))
    pairs = []
    for key, what, (should, should_it), (should_not, should_it_not) in PAIRS:
        if key in last:
            pairs.append((what, should_it, should_it_not,
                          [(part.get(key, {}).get(should), part.get(key, {}).get(should_not))
                           for part in found.values()]))
    return {"models": list(found), "pairs": pairs,
            "kinds": [(kind, [part.get("kinds", {}).get(kind) for part in found.values()])
                      for kind in kinds]}
