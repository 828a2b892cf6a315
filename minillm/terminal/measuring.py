"""The verbs that look at a run: eval measures its models again, report writes the page."""

from pathlib import Path

import numpy as np

from minillm import pipeline
from minillm.config import require
from minillm.evaluate import measure
from minillm.phases import preferences, pretrain, reward_model
from minillm.run import STAGES, Run, documents_of, load_reward_model
from minillm.terminal.checks import dotted
from minillm.terminal.folders import read_run
from minillm.terminal.talking import folder_of_run
from minillm.terminal.training import number
from minillm.train.checkpoint import steps_in
from minillm.train.run_folder import read_results
from minillm.world.jargon import domain_documents
from minillm.world.messages import labelled_messages


def report(args):
    """Write report.html anew and say where it is."""
    folder = folder_of_run(args.run, args.root)
    read_run(folder)
    from minillm.report import write_report
    print(f"report: {write_report(folder)}")


def evaluate(args):
    """Measure the models of a run again, and print that beside its results.json."""
    folder = folder_of_run(args.run, args.root)
    config, data = read_run(folder)
    run = Run(folder, config, False, args.quiet)
    require(steps_in(folder / "pretrain"),
            f"{folder} has no phase pretrain yet; first: minillm pretrain {folder}")
    results = {}
    for phase, look in LOOKS.items():
        if steps_in(folder / phase):
            results.update(look(run, data))
    then = dict(dotted(read_results(folder)))
    rows = [("", "now", "results.json")] + [(name, number(value), number(then[name]) if name in then else "-")
                                           for name, value in dotted(results)]
    widths = [max(map(len, column)) for column in zip(*rows)]
    for name, now, before in rows:
        print(f"{name:<{widths[0]}}  {now:>{widths[1]}}  {before:>{widths[2]}}")


def look_at_pretrain(run, data):
    """Validation loss, and the probes where the text was the embedded world's."""
    model = run.model("pretrain")
    text = data.get("pretrain")
    if text is not None and not Path(text).exists():
        run.say(f"pretrain: left out, as its text {text} is no longer there")
        return {}
    _, validation = documents_of(run, text)
    stream = model.tokenizer.encode_documents(validation)
    results = {"pretrain": pretrain.validate(model, stream, sum(len(text.encode()) for text in validation))}
    if text is None:
        untrained = pretrain.new_model(run.config.model, model.tokenizer, run.config.seed)
        results["probes"] = measure.probe_results(model, untrained, run.world())
    return results


def look_at_finetune(run, data):
    """Instructions, the task and the domain, on held-out items; the base model beside them."""
    if "finetune" in data:
        return {}
    base, requests = run.model("pretrain"), run.requests()
    pair = {"base": base, "finetuned": run.model("finetune")}
    results = {"instruction_accuracy": {who: measure.instruction_accuracy(model, requests)
                                        for who, model in pair.items()}}
    rng = [run.config.seed, STAGES.index("finetune"), 1]       # as pipeline.finetune_side draws them
    if steps_in(run.folder / "task"):
        messages = labelled_messages(run.world(), 300, np.random.default_rng(rng), "held_out")
        pair["finetuned"] = run.model("task")
        results["task_accuracy"] = {who: measure.task_accuracy(model, messages) for who, model in pair.items()}
    if steps_in(run.folder / "domain"):
        documents = domain_documents(run.world(), 100, np.random.default_rng(rng), "held_out")
        pair["finetuned"] = run.model("domain")
        results["domain_bits_per_byte"] = {who: measure.domain_bits_per_byte(model, documents)
                                           for who, model in pair.items()}
    return {"finetune": results}


def look_at_reward_model(run, data):
    """Pairs that the reward model orders as the raters did, on rankings that no phase saw."""
    path = run.folder / "preferences_held_out.jsonl"
    if "reward_model" in data or not path.exists():
        return {}
    model, heads = load_reward_model(run)
    accuracy, _ = reward_model.held_out_accuracy(model, heads, preferences.read_rankings(path))
    return {"reward_model": {"pair_accuracy": accuracy}}


def look_at_policy_gradient(run, data):
    """Gold scores and win rate of the aligned model against the fine-tuned one."""
    if "policy_gradient" in data:
        return {}
    policy, finetuned, requests = run.model("policy_gradient"), run.model("finetune"), run.requests()
    settings, seed = run.config.rlhf, run.config.seed
    results, _, _, ended = measure.alignment_results(finetuned, policy, requests, settings.temperature, seed)
    return {"rlhf": {**results, "kl": pipeline.policy_kl(policy, finetuned, requests, settings, seed)},
            "generation": {"stopped": ended}}


LOOKS = {"pretrain": look_at_pretrain, "finetune": look_at_finetune, "reward_model": look_at_reward_model,
         "policy_gradient": look_at_policy_gradient}
