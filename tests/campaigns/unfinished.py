"""Answers cut before their end token: how they are scored, and what a policy makes of it.

    python tests/campaigns/unfinished.py RUN             a run of `minillm run`; 5 seeds, some 10 minutes
    python tests/campaigns/unfinished.py RUN --short     one seed, few steps

First table: reward models trained from the run's fine-tuned model on the run's rankings, for several
values of `reward.unfinished`; 0 is the control that never saw an unfinished answer. Second table: the
policy against those reward models, with and without `rlhf.missing_end`; once as configured, once with
so few tokens for an answer that a good part of the fine-tuned model's answers are cut. Same seeds in
every row. The run is only read; what is trained lies in a temporary folder. Prints Markdown.
"""

import argparse
import tempfile
import time
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np

from minillm.evaluate.judging import answers, win_rate
from minillm.phases import reward
from minillm.runs import data, measures, work
from minillm.runs.config import load_config
from minillm.runs.run import Run
from minillm.training.recorder import FolderRecorder
from minillm.world.raters import gold_score

SHARES = (0.0, 0.1, 0.25, 0.5, 1.0)
PENALTIES = (0.0, 1.0)
TIGHT = 12              # tokens of an answer in the tight case: some 6 in 10 do not end by then
READ = ("tokenizer.json", "pretrain", "finetune", "rank")


def beside(run, folder):
    """A run in another folder that reads the same models and rankings and leaves its own."""
    folder.mkdir(parents=True)
    for name in READ:
        (folder / name).symlink_to((run.folder / name).resolve())
    return run._replace(folder=folder, quiet=True)


def scores_of(judge, heads, rankings, seed):
    """(finished, without the end token alone, cut at a random place): scores (N,) of each."""
    tokenizer, rng = judge.tokenizer, np.random.default_rng([seed, 46])
    finished, _ = reward.evened(reward.fitting(judge, rankings))
    cut = [reward.cut_before_end(tokenizer, ids, rng) for ids in finished]
    return [reward.reward_scores(judge, heads, each)
            for each in (finished, [ids[:-1] for ids in finished], cut)]


def judged(run, share, seed, steps):
    """Train the reward model of a run; its figures."""
    settings = replace(run.config.reward, unfinished=share, steps=steps or run.config.reward.steps)
    model, began = run.model("finetune"), time.perf_counter()
    learned, held_out = data.rankings(run, model)
    reward.train_reward_model(model, reward.reward_heads(model, seed), learned, settings, seed,
                              FolderRecorder(run.folder / "reward", quiet=True))
    seconds = time.perf_counter() - began
    judge, heads = data.reward_model(run)
    finished, endless, cut = scores_of(judge, heads, held_out, seed)
    return {"pairs": reward.held_out_accuracy(judge, heads, held_out)[0],
            "endless": np.mean(endless > finished), "cut": np.mean(cut > finished),
            "gap": (finished.mean() - cut.mean()) / finished.std(), "seconds": seconds}


def aligned(judge_run, name, penalty, longest, steps):
    """Optimize a policy against the reward model of a run, in its folder NAME; its figures."""
    run = beside(judge_run, judge_run.folder / name)
    (run.folder / "reward").symlink_to((judge_run.folder / "reward").resolve())
    settings = replace(run.config.rlhf, missing_end=penalty, max_new_tokens=longest,
                       steps=steps or run.config.rlhf.steps)
    run = run._replace(config=replace(run.config, rlhf=settings))
    work.run_rlhf(run)
    policy, start = run.model("rlhf"), run.model("finetune")
    (requests,) = data.askable(start, {"prompts": data.requests(run)}, lambda request: request.messages())
    (new, after), (old, before) = (gold(model, requests, settings) for model in (policy, start))
    return {"win": win_rate(new, old)[0], "gold": new.mean() - old.mean(),
            "kl": measures.policy_kl(policy, start, requests, settings, run.rng("evaluation", 1)),
            "ended before": before.mean(), "ended": after.mean()}


def gold(model, requests, settings):
    """Sampled answers of as many tokens as in training: (gold scores (N,), whether each ended)."""
    texts, stopped = answers(model, requests, np.random.default_rng(46),
                             temperature=settings.temperature,
                             max_new_tokens=settings.max_new_tokens)
    return np.array([gold_score(item, text) for item, text in zip(requests, texts)]), stopped


def line(cells, rows):
    """A line of Markdown: the cells, then mean and standard deviation over seeds of each figure."""
    shown = [f"{np.mean([row[key] for row in rows]):.3f} ± {np.std([row[key] for row in rows]):.3f}"
             for key in rows[0]]
    return "| " + " | ".join([*map(str, cells), *shown]) + " |"


def campaign(run, shares, seeds, lengths, steps=None, rlhf_steps=None, say=print):
    """Train and measure everything; say() gets each line.  Returns {row's cells: [figures]}.

    Policies are optimized against the reward models of the least and of the configured share.
    """
    found, usual = {}, run.config.reward.unfinished
    with tempfile.TemporaryDirectory() as place:
        homes = {(share, seed): beside(run, Path(place) / f"{share}-{seed}")
                 for share in {*shares, usual} for seed in seeds}
        say("| unfinished | pairs right | above: end token cut | above: cut anywhere | "
            "finished − cut, spreads | seconds |\n|---|---|---|---|---|---|")
        for share in sorted({*shares, usual}):
            found[share,] = [judged(homes[share, seed], share, seed, steps) for seed in seeds]
            say(line([share], found[share,]))
        say("\n| unfinished | missing end | longest | win rate | gold gained | KL | ended before | "
            "ended after |\n|---|---|---|---|---|---|---|---|")
        for cells in product(sorted({min(shares), usual}), PENALTIES, lengths):
            share, penalty, longest = cells
            found[cells] = [aligned(homes[share, seed], f"{penalty}-{longest}", penalty, longest,
                                    rlhf_steps) for seed in seeds]
            say(line(cells, found[cells]))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path, help="folder of a run with rankings")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--shares", type=float, nargs="+", default=SHARES)
    parser.add_argument("--short", action="store_true", help="one seed, few steps")
    args = parser.parse_args()
    config, paths = load_config(args.run)
    run, few = Run(args.run, config, paths), (20, 4) if args.short else (None, None)
    campaign(run, args.shares, range(1 if args.short else args.seeds),
             (config.rlhf.max_new_tokens, TIGHT), *few,
             say=lambda text: print(text, flush=True))


if __name__ == "__main__":
    main()
