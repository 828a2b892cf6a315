"""What a phase leaves behind while it trains: a line on the terminal, metrics.jsonl, checkpoints."""

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from minillm import tree
from minillm.train.checkpoint import load_checkpoint, save_checkpoint, steps_in, subtree
from minillm.train.interrupt import Interruptible
from minillm.train.loop import train


class Journal:
    """Records one phase in one folder.

    `look(step)`, where set, is asked every `look_every` steps and after the last; the numbers it returns
    go into that step's metrics, and its "sample", a text, is shown.
    """

    def __init__(self, folder, resume=False, quiet=False):
        self.folder, self.resume, self.quiet = Path(folder), resume, quiet
        self.look, self.look_every, self.line = None, 0, None

    def looking(self, look, every):
        """Set what is looked at now and then.  Returns the journal."""
        self.look, self.look_every = look, every
        return self

    def fit(self, model, settings, batch_at, loss_and_grads, heads=None):
        """Train model (and its scalar heads) in place, from where the folder's newest checkpoint stopped.

        The trained tree is the model's own, or {"model": ..., **heads}.
        Raises:  ValueError where the phase was begun with other settings, another model or another tokenizer;
        FloatingPointError as train does; KeyboardInterrupt after a Ctrl-C, once the step is done and saved.
        """
        heads = heads or {}
        params = {"model": model.params, **heads} if heads else model.params
        optimizer, start = self._restore(model, params, settings, bool(heads))
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / "metrics.jsonl", "w", encoding="utf-8", newline="\n") as metrics, \
                self._progress(settings.steps, start) as line, Interruptible() as interrupt:
            for record in self._kept:
                metrics.write(json.dumps(record) + "\n")

            def watch(step, _, optimizer, record):
                done = step + 1
                if self.look is not None and (done % self.look_every == 0 or done == settings.steps):
                    record.update(self._looked(step, line))
                metrics.write(json.dumps(record) + "\n")
                metrics.flush()
                unit = "pairs" if "pair_accuracy" in record else "tokens"
                rate = record["weight"] / record["seconds"]
                line.set_postfix_str(f"loss {record['loss']:.3f}, {rate:,.0f} {unit}/s", refresh=False)
                line.update()
                stopping = interrupt.asked and done % getattr(settings, "epochs", 1) == 0     # not amid a rollout
                if done % settings.save_every == 0 or done == settings.steps or stopping:
                    self._save(model, heads, optimizer, settings, done)
                if stopping and done < settings.steps:
                    raise KeyboardInterrupt
            train(params, settings, batch_at, loss_and_grads, optimizer=optimizer, start=start, watch=watch)

    def _looked(self, step, line):
        began = time.perf_counter()
        seen = dict(self.look(step))
        sample = seen.pop("sample", None)
        if sample is not None and not self.quiet:
            line.write("    " + sample.replace("\n", "\n    "), file=sys.stderr)
        return {**seen, "look_seconds": time.perf_counter() - began}

    def _progress(self, steps, start):
        from tqdm import tqdm

        return tqdm(total=steps, initial=start, desc=self.folder.name, unit="step", disable=self.quiet,
                    mininterval=0.5, dynamic_ncols=True, leave=True, file=sys.stderr,
                    bar_format="{desc}: step {n_fmt} of {total_fmt}{postfix}, {elapsed} gone, {remaining} left")

    def _save(self, model, heads, optimizer, settings, step):
        moments = {name: optimizer[name] for name in ("mean", "square")}
        save_checkpoint(self.folder, step, model, {"optimizer": moments, "heads": heads},
                        {"settings": asdict(settings)})

    def _restore(self, model, params, settings, with_heads):
        self._kept = []
        if not (self.resume and steps_in(self.folder)):
            return None, 0
        saved = load_checkpoint(self.folder)
        self._refuse_other("", saved.progress.get("settings", {}), asdict(settings))
        self._refuse_other("model.", asdict(saved.model.config), asdict(model.config))
        if saved.model.tokenizer != model.tokenizer:
            raise ValueError(f"{self.folder} was begun with another tokenizer; start a new run")
        loaded = saved.model.params
        if with_heads:
            loaded = {name: loaded if name == "model" else subtree(saved.training, f"heads.{name}", head)
                      for name, head in params.items()}
        tree.tree_map(copy_into, params, loaded)
        start = saved.progress["step"]
        self._kept = [record for record in read_metrics(self.folder) if record["step"] < start]
        optimizer = {name: subtree(saved.training, f"optimizer.{name}", params) for name in ("mean", "square")}
        return {**optimizer, "step": start}, start

    def _refuse_other(self, where, then, now):
        for key, value in now.items():
            if then.get(key) != value:
                raise ValueError(f"{self.folder} was begun with {where}{key} = {then.get(key)}, this run has {value}; "
                                 "resume with the same settings, or start a new run")


def copy_into(into, values):
    """Overwrite one array with another, in place, so that whoever holds it sees the change."""
    into[...] = values


def read_metrics(folder):
    """The records of a phase's metrics.jsonl, one a step; none where the file is not there."""
    path = Path(folder) / "metrics.jsonl"
    if not path.exists():
        return []
    records = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            records.append(json.loads(line))
        except ValueError:
            break               # the last line of a process that was killed while it wrote
    return records
