"""The trainer runs the loop, evaluates at intervals, records, saves and handles Ctrl-C."""

import time
from functools import partial

from minillm.model.adapter import adapter_of, plain
from minillm.objectives.adapter import adapter_objective
from minillm.training.interrupt import Interruptible
from minillm.training.loop import State, train


EARLY = (1, 3, 10, 30, 100)     # steps after which a sample is taken too: most changes early


def fit(model, settings, batch_at, objective, recorder, heads=None, *, evaluate=None, sample=None,
        every=1, rollouts=None, frozen=()):
    """Train model (and its scalar heads) in place, from where the recorder says it stopped.

    The trained tree is the model's own, or {"model": ..., **heads}. Of a model with an adapter
    beside its weights (model/adapter.py) it is {"adapter": ...}, and the weights stay as they are.
    evaluate(step) -> numbers for the log, every `every` steps and after the last.
    sample(step) -> a text of the model, shown and kept in the log: as often, and after EARLY steps.
    batch_at, objective, rollouts, frozen: as in training.loop.train.
    Raises:  ValueError if the recorder holds a phase begun with other settings, another model or
             another tokenizer; FloatingPointError as train does; KeyboardInterrupt after a Ctrl-C,
             once the step is done and saved.
    """
    heads = heads or {}
    params = {"model": model.params, **heads} if heads else model.params
    adapter = adapter_of(model.params)
    if adapter is not None:
        params = heads = {"adapter": adapter.params}
        objective = partial(adapter_objective, base=plain(model.params), adapter=adapter,
                            objective=objective)
    restored = recorder.restore(model, params, settings)
    start, state = 0, None
    if restored is not None:
        start, optimizer, rollout = restored
        if rollout and (rollouts is None or rollout.keys() != set(rollouts.kind._fields)):
            raise ValueError(f"the saved rollout has {', '.join(sorted(rollout))}; it was not "
                             "written by this stage")
        state = State(params, optimizer, rollouts.kind(**rollout) if rollout else None)

    with recorder.recording(settings.steps, start), Interruptible(recorder.saves) as interrupt:
        def watch(state, record):
            done = record["step"] + 1
            last = done == settings.steps
            record.update(looked(record["step"], done % every == 0 or last, evaluate, sample))
            if "sample" in record:
                recorder.show(f"step {done}: {record['sample']!r}")
            recorder.add(record)
            if recorder.saves and (done % settings.save_every == 0 or last or interrupt.asked):
                recorder.save(model, heads, state, settings)
            if interrupt.asked:
                raise KeyboardInterrupt
        train(params, settings, batch_at, objective, state=state, rollouts=rollouts,
              frozen=frozen, watch=watch)


def looked(step, due, evaluate, sample):
    """What evaluate and sample give after a step, and the seconds it took; {} if neither is due."""
    began = time.perf_counter()
    seen = dict(evaluate(step)) if evaluate is not None and due else {}
    if sample is not None and (due or step + 1 in EARLY):
        seen["sample"] = sample(step)
    return {**seen, "evaluate_seconds": time.perf_counter() - began} if seen else {}
