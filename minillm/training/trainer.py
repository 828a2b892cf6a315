"""The trainer runs the loop, evaluates at intervals, records, saves and handles Ctrl-C."""

import time

from minillm.training.interrupt import Interruptible
from minillm.training.loop import State, train


def fit(model, settings, batch_at, objective, recorder, heads=None, *, evaluate=None, every=1,
        rollouts=None, frozen=()):
    """Train model (and its scalar heads) in place, from where the recorder says it stopped.

    The trained tree is the model's own, or {"model": ..., **heads}.
    evaluate(step) -> numbers for the log, every `every` steps and after the last; a text under
    "sample" is shown.
    batch_at, objective, rollouts, frozen: as in training.loop.train.
    Raises:  ValueError if the recorder holds a phase begun with other settings, another model or
             another tokenizer; FloatingPointError as train does; KeyboardInterrupt after a Ctrl-C,
             once the step is done and saved.
    """
    heads = heads or {}
    params = {"model": model.params, **heads} if heads else model.params
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
            if evaluate is not None and (done % every == 0 or last):
                record.update(evaluated(evaluate, record["step"], recorder))
            recorder.add(record)
            if recorder.saves and (done % settings.save_every == 0 or last or interrupt.asked):
                recorder.save(model, heads, state, settings)
            if interrupt.asked:
                raise KeyboardInterrupt
        train(params, settings, batch_at, objective, state=state, rollouts=rollouts,
              frozen=frozen, watch=watch)


def evaluated(evaluate, step, recorder):
    """The numbers of evaluate(step), and the seconds it took; a sample goes to the recorder."""
    began = time.perf_counter()
    seen = dict(evaluate(step))
    if "sample" in seen:
        recorder.show(seen.pop("sample"))
    return {**seen, "evaluate_seconds": time.perf_counter() - began}
