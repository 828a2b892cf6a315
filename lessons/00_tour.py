"""What happens between a pile of text and an assistant?

    python lessons/00_tour.py [--full]
"""

# %% Text: five kinds of documents about one small world.
import numpy as np
import workbench as w

from minillm.phases.pretrain import new_model
from minillm.phases.rank import RankConfig, collect_rankings
from minillm.phases.reward import RewardConfig, held_out_accuracy, reward_heads, train_reward_model
from minillm.training.recorder import MemoryRecorder
from minillm.world.corpus import write_corpus
from minillm.world.raters import SimulatedRater
from minillm.world.requests import make_requests

world, base, assistant = w.base_and_assistant(1)
for kind in ("encyclopedia", "stories", "code", "forum", "news"):
    print(f"  {kind:<13}{write_corpus(world, 0.005, kinds=[kind])[0].text[:70]!r}")

# %% Tokens: what the model reads are numbers.
ids = base.tokenizer.encode("The cat sat on the mat.")
print("  " + " ".join(f"{i}:{base.tokenizer.decode([i])!r}" for i in ids))

# %% Phase 1, pretraining: a fresh model babbles, a pretrained one continues a document.
fresh = new_model(base.config, base.tokenizer, 0)
with w.table("00_question"):
    for name, model in (("fresh", fresh), ("pretrained", base)):
        print(f"  'The capital of', {name}: {model.generate('The capital of', max_new_tokens=16, temperature=0.5)!r}")

# %% Phase 2, fine-tuning: the base model goes on with a question as with any text, the assistant answers it.
QUESTION = "What is the capital of Peru?"
TURN = [{"role": "user", "content": QUESTION}]
with w.table("00_question"):
    print(f"  {QUESTION!r}, pretrained: {base.generate(QUESTION, max_new_tokens=32, temperature=0.0)!r}")
    print(f"  {QUESTION!r}, assistant: {assistant.chat(TURN, max_new_tokens=32)!r}")

# %% In the format of a conversation, the base model meets control tokens that no document has.
with w.table("00_question"):
    print(f"  {QUESTION!r}, pretrained, in the format of a conversation: {base.chat(TURN, max_new_tokens=32)!r}")

# %% Phase 3: several answers to a prompt are sampled and ranked, and a reward model learns the ranking.
rng = np.random.default_rng(0)
requests = make_requests(world, w.pick(8, 80), rng, "train")
rankings = collect_rankings(assistant, [(r.messages(), r) for r in requests], SimulatedRater().rank,
                            RankConfig(max_new_tokens=w.pick(8, 24)), rng)
for rank, text in sorted(zip(rankings[0].ranks, rankings[0].responses)):
    print(f"  rank {rank}: {text!r}")
heads, cut = reward_heads(assistant, 0), len(rankings) * 3 // 4
train_reward_model(assistant, heads, rankings[:cut], RewardConfig(steps=w.pick(1, 20), warmup_share=1, rows=w.pick(2, 8)), 0,
                   MemoryRecorder())
print(f"  after 20 steps, the reward model orders {held_out_accuracy(assistant, heads, rankings[cut:])[0]:.2f} of the "
      "held-out pairs as the rater did")

# %% The last step, policy gradient, makes answers likelier that the reward model scores higher: lesson 17.
