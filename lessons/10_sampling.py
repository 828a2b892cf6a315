"""What do temperature, top-k and top-p trade against each other?

    python lessons/10_sampling.py [--full]
"""

# %% One distribution, several temperatures.
import numpy as np
import workbench as w

from minillm.evaluate.judging import answers
from minillm.model.sampling import next_token_probs
from minillm.world.raters import is_correct
from minillm.world.requests import make_requests

logits = np.log(np.array([[0.5, 0.25, 0.15, 0.07, 0.03]]))


def entropy(p):
    """-sum p log p, nats."""
    p = p[p > 0]
    return float(-(p * np.log(p)).sum())


TEMPERATURES = (0.0, 0.5, 1.0, 1.5)
w.show([(t, *next_token_probs(logits, t)[0], entropy(next_token_probs(logits, t)[0])) for t in TEMPERATURES],
       ("temperature", "p1", "p2", "p3", "p4", "p5", "entropy"))
w.show([(f"top-k {k}", *next_token_probs(logits, top_k=k)[0]) for k in (1, 2, 3)], ("cut", "p1", "p2", "p3", "p4", "p5"))
w.show([(f"top-p {p}", *next_token_probs(logits, top_p=p)[0]) for p in (0.5, 0.8, 0.95)], ("cut", "p1", "p2", "p3", "p4", "p5"))

# %% The assistant's answers over temperatures: how many are right, how many different answers to the same question.
SEEDS, HOTS = w.pick((0,), (0, 1, 2)), w.pick((0.0, 1.0), (0.0, 0.4, 0.8, 1.2, 1.6))
right, different = {t: [] for t in HOTS}, {t: [] for t in HOTS}
for seed in SEEDS:
    world, _, assistant = w.base_and_assistant(seed)
    requests = make_requests(world, w.pick(4, 60), np.random.default_rng(6), "held_out")
    for t in HOTS:
        texts, _ = answers(assistant, [r for r in requests for _ in range(3)], np.random.default_rng(seed), temperature=t,
                           max_new_tokens=24)
        right[t].append(np.mean([is_correct(r, text) for r, text in zip([r for r in requests for _ in range(3)], texts)]))
        different[t].append(np.mean([len(set(texts[3 * i:3 * i + 3])) for i in range(len(requests))]))
w.show([(t, *w.interval(right[t]), np.mean(different[t])) for t in HOTS],
       ("temperature", "right", "from", "to", "different answers of 3"))
fall = w.interval(np.subtract(right[HOTS[0]], right[HOTS[-1]]))
print(f"  predicted: the likeliest tokens are right at least 0.1 more often than samples at {HOTS[-1]}; found {fall[0]:.2f} "
      f"({fall[1]:.2f} to {fall[2]:.2f} over {len(SEEDS)} seeds): {w.verdict(fall[1], fall[2], above=0.1)}")


def draw(axes):
    """Accuracy and variety over temperatures."""
    axes.plot(HOTS, [np.mean(right[t]) for t in HOTS], "o-", label="share of right answers")
    axes.plot(HOTS, [np.mean(different[t]) / 3 for t in HOTS], "s-",
              label="different answers of 3, divided by 3 (all the same: 1/3)")
    axes.set_xlabel("temperature")
    axes.set_ylim(0, 1)
    axes.legend(frameon=False)


w.picture("10_temperature", draw)
