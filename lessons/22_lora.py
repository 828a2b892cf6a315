"""Why is a low rank enough, and where is it not?

    python lessons/22_lora.py [--full]
"""

# %% Two jobs for the base model, and what is left of each to learn. A label is learned from what the model knows already; the
# logs of the lock keepers have words, and an order of words, that pretraining hardly contains.
from dataclasses import replace
from functools import partial

import numpy as np
import workbench as w

from minillm import tree
from minillm.model.adapter import with_layers
from minillm.model.language_model import LanguageModel
from minillm.objectives.next_token import next_token_objective
from minillm.phases.finetune import FinetuneConfig, adapter_for, fit_chosen, rendered, task_conversation
from minillm.runs import measures
from minillm.text.batches import pack_conversations, packed_batch, window_batch
from minillm.training.recorder import MemoryRecorder
from minillm.training.trainer import fit
from minillm.world.jargon import domain_documents
from minillm.world.messages import TASK_PROMPT, labelled_messages

SEEDS = w.pick((0,), (1,), (1, 2, 3, 4))
STEPS, ROWS = w.pick(1, 30, 100), w.pick(2, 16)
RANKS = w.pick((1, 16), (1, 16), (1, 2, 4, 8, 16))
CONTROLS = w.pick(("random entries", "one matrix"), ("random entries",), ("random entries", "one matrix"))
BAR, ENOUGH = 0.1, 0.9                                  # shares of the full gain
FULL = FinetuneConfig(steps=STEPS, rows=ROWS, warmup_share=min(1, 10 / STEPS), replay_rows=0, weight_decay=0.0, lr=2e-3)
LORA = replace(FULL, lr=1e-2, lora_alpha=16.0)          # each kind of arm has the best learning rate of a few, found on seed 0
SUBSET = replace(FULL, lr=1e-2)
JOBS = ("task", "domain")


class Job:
    """What a model is to learn: its batches, and how well a model does it."""

    def __init__(self, name, world, base, seed):
        rng, self.name = np.random.default_rng([seed, 29]), name
        if name == "task":
            messages = labelled_messages(world, w.pick(40, 1500), rng, "train")
            talks = rendered(base, [task_conversation(TASK_PROMPT, *message) for message in messages], "messages")
            packed = pack_conversations(talks, base.config.context, np.random.default_rng(seed), base.tokenizer.pad_id)
            self.batch_of = partial(packed_batch, packed, rows=ROWS, seed=seed)
            self.asked = labelled_messages(world, w.pick(8, 300), rng, "held_out")
        else:
            logs = base.tokenizer.encode_documents(domain_documents(world, w.pick(60, 600), rng, "train"))
            self.batch_of = partial(window_batch, logs, rows=ROWS, length=base.config.context, seed=seed,
                                    begin_id=base.tokenizer.begin_id)
            self.asked = domain_documents(world, w.pick(4, 60), rng, "held_out")

    def batch_at(self, step):
        """The batch of a step, as the loop takes it."""
        return [self.batch_of(step=step)]

    def done(self, model):
        """How well a model does the job; more is better. Labels right, as a share; minus the bits a byte of the logs."""
        if self.name == "task":
            return measures.task_accuracy(model, self.asked)
        return -measures.domain_bits_per_byte(model, self.asked)


# %% The arms. "all" trains every parameter, "blocks" all matrices that an adapter could stand beside. Two controls train as many
# numbers as the adapter of the smallest rank has, and not in its form: a random choice of the matrices' entries; or whole
# rows of one matrix, as many as that makes.
def chosen_entries(params, count, rng, one_layer=False):
    """Where a gradient may pass: {path: mask} of `count` entries of the blocks' matrices, in all of them or in one."""
    shapes = {}
    with_layers(params, lambda layer, path: shapes.update({path: layer["weight"].shape}))
    if one_layer:
        middle = ("blocks", len(params["blocks"]) // 2, "feed_forward", "down")
        shapes = {middle: shapes[middle]}
    sizes = {path: int(np.prod(shape)) for path, shape in shapes.items()}
    total = sum(sizes.values())
    places = np.arange(min(count, total)) if one_layer else rng.choice(total, count, replace=False)
    flat = np.zeros(total, np.float32)
    flat[places] = 1
    parts = np.split(flat, np.cumsum(list(sizes.values()))[:-1])
    return {path: part.reshape(shapes[path]) for path, part in zip(shapes, parts)}


def masked(objective, masks):
    """An objective whose gradients are 0 but where the masks are 1; without masks, of all matrices of the blocks."""
    def masked_objective(params, batch):
        part = objective(params, batch)
        kept = tree.zeros_like(part.grads)

        def keep(layer, path):
            grad, into = part.grads, kept
            for key in path:
                grad, into = grad[key], into[key]
            mask = 1 if masks is None else masks.get(path, 0)
            into["weight"][...] = grad["weight"] * mask
        with_layers(params, keep)
        return part._replace(grads=kept)
    return masked_objective


def tuned(base, job, settings, seed, masks=False):
    """A copy of the base after the job's training; masks: see `masked`, False for the training of everything."""
    model = w.copy_of(base)
    if masks is False:
        fit_chosen(model, settings, job.batch_at, seed, MemoryRecorder())
        return model
    objective = masked(partial(next_token_objective, config=model.config), masks)
    fit(model, settings, job.batch_at, objective, MemoryRecorder())
    return model


# %% After the fact: how many directions does the change of the full training have? The change of each matrix is cut to its
# largest singular values, and the model with the cut change does the job again.
def cut(base, trained, rank):
    """The base with the change of its blocks' matrices cut to a rank; all else is the base's. rank None: not cut."""
    def changed(layer, path):
        other = trained.params
        for key in path:
            other = other[key]
        change = other["weight"] - layer["weight"]
        if rank is not None:
            u, s, vt = np.linalg.svd(change, full_matrices=False)
            change = (u[:, :rank] * s[:rank]) @ vt[:rank]
        return {"weight": layer["weight"] + change}
    return LanguageModel(with_layers(base.params, changed), base.config, base.tokenizer)


def energy(base, trained, rank):
    """Share of the squares of all changes that the `rank` largest singular values of each matrix hold."""
    held = []

    def look(layer, path):
        other = trained.params
        for key in path:
            other = other[key]
        s = np.linalg.svd(other["weight"] - layer["weight"], compute_uv=False)
        held.append(((s[:rank] ** 2).sum(), (s ** 2).sum()))
    with_layers(base.params, look)
    return float(np.sum(held, axis=0)[0] / np.sum(held, axis=0)[1])


def count_of(base, rank):
    """Parameters of an adapter of that rank."""
    return tree.count(adapter_for(base, replace(LORA, lora=rank), 0).params)


# %% Every arm begins at the same base and takes the same steps on the same batches. What an arm recovers is its gain as a share
# of the gain of the training of everything.
ARMS = {"all": (FULL, False), "blocks": (FULL, None),
        **{f"rank {rank}": (replace(LORA, lora=rank), False) for rank in RANKS}}
found, energies, sizes = {job: {} for job in JOBS}, {job: [] for job in JOBS}, {}
for seed in SEEDS:
    world, base, _ = w.base_and_assistant(seed)
    few = count_of(base, RANKS[0])
    sizes = {"all": tree.count(base.params), **{f"rank {rank}": count_of(base, rank) for rank in RANKS},
             **dict.fromkeys(CONTROLS, few)}
    for name in JOBS:
        job, rng = Job(name, world, base, seed), np.random.default_rng([seed, 31])
        models = {arm: tuned(base, job, settings, seed, masks) for arm, (settings, masks) in ARMS.items()}
        models = {"base": base, **models}
        for arm in CONTROLS:
            models[arm] = tuned(base, job, SUBSET, seed, chosen_entries(base.params, few, rng, arm == "one matrix"))
        models.update({f"cut to {rank}": cut(base, models["all"], rank) for rank in RANKS})
        models["not cut"] = cut(base, models["all"], None)
        energies[name].append([energy(base, models["all"], rank) for rank in RANKS])
        for arm, model in models.items():
            found[name].setdefault(arm, []).append(job.done(model))


def recovered(job, arm):
    """The share of the gain of "all" that an arm has, one number a seed."""
    base, whole, mine = (np.array(found[job][key]) for key in ("base", "all", arm))
    return (mine - base) / np.where(whole == base, 1, whole - base)


for job, unit in zip(JOBS, ("labels right", "bits a byte, with a minus")):
    w.show([(arm, sizes.get(arm, ""), float(np.mean(values)), float(np.mean(recovered(job, arm))))
            for arm, values in found[job].items()], (job, "parameters", unit, "recovered"))
w.show([(job, *np.mean(energies[job], axis=0).tolist()) for job in JOBS],
       ("share of the squares of the change", *(f"rank {rank}" for rank in RANKS)))


# %% Is it the form, or the number? What is the rank worth? And is the change of the full training the one to be approximated?
def draw(axes):
    """What each rank recovers: trained, and cut from the full training's change; blocks alone, and the controls."""
    for job, colour in zip(JOBS, ("tab:blue", "tab:orange")):
        for kind, style in (("rank {}", "o-"), ("cut to {}", "s:")):
            axes.plot(RANKS, [recovered(job, kind.format(rank)).mean() for rank in RANKS], style, color=colour,
                      label=f"{job}, {'LoRA' if style == 'o-' else 'cut afterwards'}")
        axes.axhline(recovered(job, "blocks").mean(), color=colour, linewidth=0.8, linestyle="--", label=f"{job}, the blocks")
        axes.plot(RANKS[:1], [recovered(job, "random entries").mean()], "x", color=colour, label=f"{job}, random entries")
    axes.set_xscale("log", base=2)
    axes.set_xticks(RANKS, RANKS)
    axes.set_xlabel("rank")
    axes.set_ylabel("recovered share of the full gain")
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))


def told(name, interval, form=".2f"):
    """An interval in words."""
    mean, low, high = interval
    return f"{name} {mean:{form}} ({low:{form}} to {high:{form}})"


picture = w.picture("22_ranks", draw)
thin, thick = f"rank {RANKS[0]}", f"rank {RANKS[-1]}"
shares = {job: {arm: w.interval(recovered(job, arm)) for arm in found[job]} for job in JOBS}
leads = {(job, arm): w.interval(recovered(job, thin) - recovered(job, arm)) for job in JOBS for arm in CONTROLS}
least, most = (min(lead[end] for lead in leads.values()) for end in (1, 2))
w.outcome(__file__, "15a it is the form of an adapter, not the number of its parameters",
          f"in both jobs rank 1 recovers at least {BAR} more of the full gain than as many random entries of the same matrices, or "
          "as many of one matrix",
          "; ".join(told(f"{job}, ahead of {arm}", lead) for (job, arm), lead in leads.items())
          + "; recovered by rank 1: " + ", ".join(told(job, shares[job][thin]) for job in JOBS) + f"; {len(SEEDS)} seeds",
          w.verdict(least, most, BAR),
          {f"{job}, {arm}": list(lead) for (job, arm), lead in leads.items()}, picture,
          plainly={"holds": "With as few numbers, a rank of one does far more than numbers chosen at random, or those of one "
                            "matrix.",
                   "fails": "As many numbers in another place do as much as a rank of one.",
                   "undecided": "The lead of a rank of one over as many other numbers varies too much between base models."})
more, enough = w.interval(recovered("domain", thick) - recovered("domain", thin)), shares["domain"][thick]
w.outcome(__file__, "15b a new language needs more than one direction, and few are enough",
          f"on the logs rank 16 recovers at least {ENOUGH} of the full gain, and at least {BAR} more than rank 1",
          f"{told('rank 16 recovers', enough)}, {told('rank 1', shares['domain'][thin])}; {told('the difference is', more)}; the "
          f"blocks without a limit of the rank: {told('the logs', shares['domain']['blocks'])}, "
          f"{told('the labels', shares['task']['blocks'])}; rank 16 on the labels: {told('it recovers', shares['task'][thick])}; "
          f"{len(SEEDS)} seeds",
          w.verdict(min(more[1] - BAR, enough[1] - ENOUGH), min(more[2] - BAR, enough[2] - ENOUGH)),
          {"rank 16": list(enough), "rank 1": list(shares["domain"][thin]), "difference": list(more),
           **{f"{job}, blocks": list(shares[job]["blocks"]) for job in JOBS}, "task, rank 16": list(shares["task"][thick])},
          picture,
          plainly={"holds": "For the logs a rank of one is too little, and a rank of 16 does nearly all that full fine-tuning "
                            "does.",
                   "fails": "On the logs a rank of one does as well as 16, or 16 is too little too.",
                   "undecided": "What the ranks recover of the logs varies too much between base models."})
better = w.interval(recovered("domain", thin) - recovered("domain", f"cut to {RANKS[0]}"))
w.outcome(__file__, "15c a low rank is found by training, not by cutting",
          f"on the logs a trained rank 1 recovers at least {BAR} more than the change of full fine-tuning, cut to rank 1",
          f"{told('ahead by', better)}; cut, the change of the blocks recovers "
          + ", ".join(told(f"at rank {rank}", shares["domain"][f"cut to {rank}"]) for rank in RANKS)
          + f"; {told('not cut', shares['domain']['not cut'])}; of its squares rank 16 holds "
          + f"{np.mean(energies['domain'], axis=0)[-1]:.2f}; {len(SEEDS)} seeds",
          w.verdict(*better[1:], BAR), {"ahead": list(better)}, picture,
          plainly={"holds": "An adapter of rank one finds a better change than the largest direction of what full fine-tuning did.",
                   "fails": "The largest direction of what full fine-tuning did is as good as a trained rank of one.",
                   "undecided": "The lead of training over cutting varies too much between base models."})
