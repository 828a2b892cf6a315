"""What rankings by hand say: who orders the same pairs alike, and what length has to do with it."""

from minillm.phases.reward import rendered_ranking, reward_scores
from minillm.runs.data import reward_model
from minillm.runs.folder import assistant_of, is_run
from minillm.runs.measures import gold_score
from minillm.runs.provenance import hashes
from minillm.runs.stages import BY_NAME
from minillm.training.checkpoint import steps_in
from minillm.training.progress import filled


def taught(run, rankings, prompts):
    """Lines on a person's rankings; [] if there are none.

    prompts: [(messages, the world's request or None)], the prompts of the rankings among them
    """
    if not rankings:
        return []
    pairs = sum(len(ordered_pairs(ranking)) for ranking in rankings)
    said = [f"You ordered {pairs} pairs of responses."]
    lengths = [[-len(text.split()) for text in ranking.responses] for ranking in rankings]
    said += spoken("The shorter one of two was better", "unequal lengths", rankings, lengths)
    known = [(ranking, request) for ranking in rankings for messages, request in prompts
             if messages == ranking.prompt and request is not None]
    gold = [[gold_score(request, text) for text in ranking.responses] for ranking, request in known]
    said += spoken("The simulated raters would have ordered them as you did", "unequal gold scores",
                   [ranking for ranking, _ in known], gold)
    judge = run_with_reward_model(run)
    if judge is not None:
        said += spoken(f"The reward model of {judge.folder} orders them as you did",
                       "unequal rewards", *rewarded(judge, rankings))
    return [line for sentence in said for line in filled(sentence, indent="").split("\n")]


def spoken(what, kind, rankings, scores):
    """A sentence on how often a score orders the pairs as the person did; [] without a pair."""
    margins = [row[better] - row[worse] for ranking, row in zip(rankings, scores)
               for better, worse in ordered_pairs(ranking)]
    told_apart = sum(margin != 0 for margin in margins)
    right = sum(margin > 0 for margin in margins)
    return [f"{what} in {right} of {told_apart} pairs of {kind}."] if told_apart else []


def ordered_pairs(ranking):
    """[(index of the better response, index of the worse one)], equal texts counted once."""
    first = [n for n, text in enumerate(ranking.responses) if text not in ranking.responses[:n]]
    return [(better, worse) for better in first for worse in first
            if ranking.ranks[better] < ranking.ranks[worse]]


def run_with_reward_model(run):
    """The run, or one beside it whose phase 3 began with the same model, if it has a reward model;
    or None.
    """
    def begins_with(folder):
        return hashes(folder, BY_NAME[assistant_of(folder)])
    mine = begins_with(run.folder)
    for folder in (run.folder, *sorted(run.folder.parent.iterdir())):
        if is_run(folder) and steps_in(folder / "reward") and begins_with(folder) == mine:
            return run._replace(folder=folder)
    return None


def rewarded(run, rankings):
    """(the rankings whose responses all fit the context, their rewards)."""
    judge, heads = reward_model(run)
    rendered = [(ranking, rendered_ranking(judge.tokenizer, ranking)) for ranking in rankings]
    fit = [(ranking, rows) for ranking, rows in rendered
           if max(map(len, rows)) <= judge.config.context]
    return ([ranking for ranking, _ in fit],
            [reward_scores(judge, heads, rows).tolist() for _, rows in fit])
