"""Stop where a step of training begins, on the plain kernels: from there on, step into every function.

    python lessons/step_through.py pretrain             one step of pretraining: loss, gradients, clipping, AdamW
    python lessons/step_through.py ppo                  one step of PPO, on a rollout that was just sampled
    python lessons/step_through.py ppo --smoke          run through without a stop

It stops at breakpoint(), in VS Code's debugger (.vscode/launch.json) as in a terminal. There `s` steps in, `n` steps over, and
`b next_token_objective` or `b adamw_update` stops at a function that this file knows; for another, import its module first:
`import minillm.layers.attention`, then `b minillm.layers.attention.attention_forward`. The plain kernels' names end in `_plain`.
Without a terminal, and with PYTHONBREAKPOINT=0, the script runs through as with --smoke.
"""

import argparse
import os
import sys

os.environ.setdefault("MINILLM_KERNELS", "plain")       # before minillm is imported: kernels that a debugger can enter

import numpy as np  # noqa: E402

from minillm.config import ModelConfig, OptimizerConfig  # noqa: E402
from minillm.objectives.next_token import next_token_objective  # noqa: E402
from minillm.objectives.policy import policy_objective  # noqa: E402
from minillm.optim.adamw import adamw_init, adamw_update  # noqa: E402
from minillm.optim.clipping import clip_scale, global_norm  # noqa: E402
from minillm.phases.pretrain import new_model  # noqa: E402
from minillm.phases.rlhf import RLHFConfig, value_heads  # noqa: E402
from minillm.phases.rollout import sample_rollout  # noqa: E402
from minillm.text.batches import window_batch  # noqa: E402
from minillm.text.learning import train_tokenizer  # noqa: E402

TEXTS = ["the cat sat on the mat.", "the dog met the cat."]


def tiny_model(seed=0):
    """Two blocks of 16 channels, one token a character: tensors small enough to look at."""
    config = ModelConfig(context=24, layers=2, width=16, heads=2, kv_heads=1, hidden=32)
    return new_model(config, train_tokenizer(TEXTS, kind="characters"), seed)


def pretrain():
    """One step on one row of text, after a stop."""
    model = tiny_model()
    batch = window_batch(model.tokenizer.encode_documents(TEXTS), step=0, rows=1, length=8, seed=0,
                         begin_id=model.tokenizer.begin_id)
    breakpoint()
    part = next_token_objective(model.params, batch, model.config)
    take_step(model.params, part, OptimizerConfig())
    return part


def ppo():
    """One step on one rollout, after a stop: four responses, each paid for the letters `t` that it has."""
    model, reference = tiny_model(), tiny_model()
    heads, prompt = value_heads(model, 0), model.tokenizer.encode("the ")
    paid = model.tokenizer.encode("t")[0]
    settings = RLHFConfig(rows=4, max_new_tokens=5, missing_end=0.0)

    def score(sequences, _):
        return np.array([np.sum(ids[len(prompt):] == paid) for ids in sequences], np.float32)
    rollout, measured = sample_rollout(0, heads["value_head"], model, reference, [prompt], score, settings, seed=0)
    params = {"model": model.params, **heads}
    print("sampled:", {name: round(value, 3) for name, value in measured.items()})
    breakpoint()
    part = policy_objective(params, rollout, model.config, settings)
    take_step(params, part, settings)
    return part


def take_step(params, part, settings):
    """What the loop does with an objective: clip the gradient by its norm, and step."""
    scale = clip_scale(global_norm(part.grads), settings.clip)
    adamw_update(params, part.grads, adamw_init(params), settings.lr, settings, scale)


def main(argv=None):
    """Take the step that is asked for, with a stop before it.  Returns the Objective."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("pretrain", "ppo"), help="which step")
    parser.add_argument("--smoke", action="store_true", help="run through without a stop")
    args = parser.parse_args(argv)
    if args.smoke or not sys.stdin.isatty():
        os.environ["PYTHONBREAKPOINT"] = "0"            # Python's own hook reads it at each call; a debugger has another hook
    found = {"pretrain": pretrain, "ppo": ppo}[args.step]()
    print(found)
    return found


if __name__ == "__main__":
    main()
