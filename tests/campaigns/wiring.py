"""Mistakes of wiring, by hand: parts that are right by themselves, connected wrongly.

(file, text that stands in it exactly once, what it becomes, the mistake it stands for)
"""

LOOP, TRAINER, RECORDER = (f"minillm/training/{name}.py" for name in ("loop", "trainer", "recorder"))
POLICY_OBJECTIVE, NEXT_TOKEN = "minillm/objectives/policy.py", "minillm/objectives/next_token.py"
ALGORITHMS, ROLLOUT, RLHF = ("minillm/objectives/algorithms.py", "minillm/phases/rollout.py", "minillm/phases/rlhf.py")
ADVANTAGE, POLICY = "minillm/losses/advantage.py", "minillm/losses/policy.py"
ATTENTION, BLOCK, FEED_FORWARD = (f"minillm/layers/{name}.py" for name in ("attention", "block", "feed_forward"))
SAMPLING, DECODING, SCORING = (f"minillm/model/{name}.py" for name in ("sampling", "decoding", "scoring"))
REWARD, FINETUNE, RANK = (f"minillm/phases/{name}.py" for name in ("reward", "finetune", "rank"))
BATCHES = "minillm/text/batches.py"

WIRING = [
    (LOOP, "scale = clip_scale(norm, settings.clip)", "scale = 1.0", "the gradient is not clipped"),
    (LOOP, "learning_rate(step, settings)", "learning_rate(0, settings)", "the schedule stands still"),
    (LOOP, "init(params) if state is None else state.optimizer", "init(params)",
     "a resumed run forgets its moments and begins anew"),
    (LOOP, "leaf / leaf.dtype.type(weight)", "leaf / leaf.dtype.type(part.weight)",
     "micro-batches' gradients are added up, not averaged"),
    (LOOP, """        check_finite(step, part, norm, lr, objective, params, micro_batches)
        scale = clip_scale(norm, settings.clip)
        update(params, part.grads, optimizer, lr, settings, scale, frozen)
""", """        scale = clip_scale(norm, settings.clip)
        update(params, part.grads, optimizer, lr, settings, scale, frozen)
        check_finite(step, part, norm, lr, objective, params, micro_batches)
""", "a bad step is found after it was taken"),
    (LOOP, "settings, scale, frozen)", "settings, scale)", "frozen parameters move"),
    (LOOP, "            if rollout is None:\n                rollout", "            if True:\n                rollout",
     "every step samples a rollout of its own"),
    (LOOP, "rollouts.sample(step // rollouts.epochs, params)", "rollouts.sample(step, params)",
     "rollouts are numbered by steps"),
    (LOOP, "(step + 1) % rollouts.epochs == 0:", "step % rollouts.epochs == 0:", "a rollout is dropped too early"),
    (LOOP, "**part.metrics, **sampled}", "**part.metrics}", "what a rollout measured is not logged"),
    (LOOP, "State(params, optimizer, rollout), record)", "State(params, optimizer), record)",
     "the rollout is not part of the state"),
    (TRAINER, "rollouts.kind(**rollout) if rollout else None", "None", "a resumed run loses its rollout"),
    (TRAINER, "done % every == 0 or last", "done % every == 0", "the last step is not evaluated"),
    (TRAINER, "done % settings.save_every == 0 or last or", "done % settings.save_every == 0 or",
     "the last step is not saved"),
    (RECORDER, 'return step, {**moments, "step": step}, rollout', 'return step, {**moments, "step": 0}, rollout',
     "a resumed run begins its steps anew"),
    (RECORDER, 'f"optimizer.{name}"', '"optimizer.mean"', "both moments are restored from the mean"),
    (RECORDER, 'if record["step"] < step]', "]", "records after the checkpoint stand twice"),

    ("minillm/optim/adamw.py", "param.ndim >= 2", "param.ndim >= 1", "gains and biases decay"),
    ("minillm/optim/adamw.py", "settings.beta1, settings.beta2", "settings.beta2, settings.beta1", "betas swapped"),
    ("minillm/optim/adamw.py", 'name.startswith(branch + ".")', "name.startswith(branch)",
     "a frozen name freezes those that begin like it"),
    ("minillm/optim/muon.py", "(*frozen, *ours))", "frozen)", "AdamW moves Muon's matrices too"),
    ("minillm/optim/muon.py", "name in ours and not is_frozen(name, frozen)", "name in ours", "frozen matrices move"),
    ("minillm/optim/muon.py", "(*frozen, *ours)", "(*ours,)", "frozen parameters of AdamW's move"),
    ("minillm/optim/schedule.py", "settings.steps - 1 - warmup", "settings.steps - warmup",
     "the last step's learning rate is not the final one"),

    (BLOCK, "1 / np.sqrt(2 * config.layers)", "1 / np.sqrt(config.layers)", "init with 1 / sqrt(L), not 1 / sqrt(2 L)"),
    (ATTENTION, "np.float32(shrink))", "np.float32(1))", "attention's output starts at full size"),
    (ATTENTION, "reshape(C, C).T * np", "reshape(C, C) * np", "attention's output starts as the values' projection, not turned"),
    (FEED_FORWARD, "shrink / np.sqrt(F)", "1 / np.sqrt(F)", "the feed-forward's output starts at full size"),
    (DECODING, "visible_in(layer, starts, config, column)", "visible_in(layer, starts * 0, config, column)",
     "decoding sees the pads and counts them in positions"),
    (ATTENTION, "dk = rotary_backward(dk, cache.k_rotation)", "pass", "the keys' gradient is not turned back"),
    ("minillm/layers/rotary.py", "rotate(dy, cos, -sin, positions)", "rotate(dy, cos, sin, positions)",
     "RoPE's backward turns on, not back"),

    (POLICY, "d * d / 2", "d * d", "the k2 estimate without its half"),
    (POLICY, "0.5 * np.sum(share * d * d)", "np.sum(share * d * d)", "the KL term without its half"),
    (POLICY, "np.clip(ratio, 1 - clip_ratio, 1 + clip_ratio)", "np.minimum(ratio, 1 + clip_ratio)",
     "PPO clips at the top alone"),
    (ADVANTAGE, "np.where(real, values, 0)", "values", "values of masked places enter the advantages"),
    (ADVANTAGE, "wide.mean(axis=1, keepdims=True)", "wide.mean()", "the baseline is the batch's, not the prompt's"),
    ("minillm/losses/ranking.py", "/ better.sum()", "/ better.size", "the gradient is divided by places, not pairs"),

    (POLICY_OBJECTIVE, "    logits /= logits.dtype.type(temperature)\n", "",
     "the update reads log-probabilities at temperature 1"),
    (POLICY_OBJECTIVE, "    dlogits /= dlogits.dtype.type(temperature)\n", "",
     "the temperature is missing in the backward"),
    (POLICY_OBJECTIVE, "transformer_backward(dh + dh_value,", "transformer_backward(dh,", "the value loss does not reach the transformer"),
    (POLICY_OBJECTIVE, "value_backward(settings.value_coefficient, value_cache)", "value_backward(1.0, value_cache)",
     "the value loss's coefficient is missing in the gradient"),
    (POLICY_OBJECTIVE, "kl_backward(settings.kl_in_loss, kl_cache)", "kl_backward(1.0, kl_cache)",
     "beta is missing in the KL's gradient"),
    (POLICY_OBJECTIVE, "-settings.entropy_coefficient / len(index)", "settings.entropy_coefficient / len(index)",
     "entropy is punished"),
    (NEXT_TOKEN, "targets, weights = batch.targets.reshape(-1)[index], batch.weights.reshape(-1)[index]",
     "targets, weights = batch.targets.reshape(-1)[index], batch.weights.reshape(-1)[index] * 0 + 1",
     "every target counts the same, replayed text too"),
    (NEXT_TOKEN, "grads, float(weights.sum()), metrics)", "grads, float(batch.weights.size), metrics)",
     "micro-batches are weighed by places, not by targets that count"),
    (SCORING, "batch.positions, batch.visible_from", "batch.visible_from, batch.visible_from",
     "scoring takes the mask for the positions"),
    (SCORING, "        logits /= logits.dtype.type(temperature)\n", "", "rollouts are scored at temperature 1"),

    (ROLLOUT, "[seed, number]", "[seed, 0]", "every rollout uses the same seed"),
    (ALGORITHMS, "return whiten(advantages, mask), returns", "return advantages, returns", "advantages are not whitened"),
    (ALGORITHMS, "return advantages, total[:, None] * mask", "return advantages, 0 * total[:, None] * mask",
     "REINFORCE's returns are zero"),
    (ALGORITHMS, "reinforce_backward, grouped=True", "reinforce_backward, grouped=False",
     "REINFORCE is given one response a prompt"),
    (ALGORITHMS, "settings.gamma, settings.gae_lambda", "settings.gae_lambda, settings.gamma", "gamma and lambda swapped"),
    (ROLLOUT, "np.repeat(rng.choice", "np.tile(rng.choice", "prompts are tiled: a group is not one prompt's"),
    (ROLLOUT, "score(sequences, numbers)\n", "score(sequences, numbers[::-1])\n",
     "prompt numbers are reversed on their way to score"),
    (ROLLOUT, "measure(sequences, masks, numbers)", "measure(sequences, masks, numbers[::-1])",
     "prompt numbers are reversed on their way to measure"),
    (ROLLOUT, "* ~ended", "* ended", "a response with an end pays for a missing one"),
    (RLHF, "tree.copy(policy.params)", "policy.params", "the reference moves with the policy"),
    (RLHF, 'self.kl if self.kl_form == "reward" else 0.0', "self.kl", "KL is paid for twice"),
    (ROLLOUT, "token_rewards(scores, old - frozen", "token_rewards(scores, frozen - old", "divergence is rewarded"),
    (ROLLOUT, "old, frozen = ours.logprob, theirs.logprob", "frozen, old = ours.logprob, theirs.logprob",
     "policy and reference change places"),

    (SAMPLING, "if top_k or top_p < 1:", "if top_k:", "top-p is ignored when there is no top-k"),
    (SAMPLING, "draw(next_token_probs(logits, temperature,", "draw(next_token_probs(logits, 1.0,",
     "the temperature is ignored when there is a top-k or top-p"),
    (DECODING, "T + step + 1 - starts < config.context", "T + step - starts < config.context",
     "generation runs one token past the context"),
    (DECODING, "drawn, starts, T + step, layers", "drawn, starts, T + step + 1, layers",
     "the first new token leaves a gap in the cache"),
    (DECODING, "drawn[running], starts[running]", "drawn[running], starts[:running.sum()]",
     "rows that go on take the padding of rows that ended"),

    (RANK, "for messages in prompts for _ in range(settings.responses)",
     "for _ in range(settings.responses) for messages in prompts", "responses land at other prompts"),
    (RANK, "[1, 2])", "[2, 1])", "the rejected response is the better one"),
    (REWARD, "default_rng([seed, epoch])", "default_rng([seed, 0])", "every epoch has one order"),
    (REWARD, "[len(ids) - 1 for ids in sequences]", "[len(ids) - 2 for ids in sequences]",
     "training reads the reward one token before the end"),
    (REWARD, "max(ranks) + 1]", "1]", "an unfinished response is ranked first"),
    (REWARD, "scores[chosen], _ = reward", "scores[start:start + rows], _ = reward", "scores stay in the order of lengths"),
    (FINETUNE, "(old.weights * share)", "old.weights", "a row of replayed text outweighs a row of conversations"),
    ("minillm/phases/pretrain.py", "rows * length // settings.short_context, settings", "rows, settings",
     "short windows read fewer tokens a step"),

    (BATCHES, "batch.weights[row, at:end] = mask[1:]", "batch.weights[row, at:end] = mask[:-1]",
     "the loss mask is off by one where conversations are packed"),
    (BATCHES, "batch.weights[row, start:end - 1] = mask[1:]", "batch.weights[row, start:end - 1] = 1",
     "prompts count as responses"),
    (BATCHES, "batch.visible_from[row, at:end] = at", "batch.visible_from[row, at:end] = 0",
     "packed conversations see each other"),
    (BATCHES, "batch.positions[row, at:end] = np.arange(end - at)", "batch.positions[row, at:end] = np.arange(at, end)",
     "positions of packed conversations do not restart"),
    (BATCHES, "(targets != begin_id).astype(np.float32)", "np.ones(targets.shape, np.float32)",
     "a document's begin token is learned from the one before"),
    (BATCHES, "default_rng([seed, epoch]).permutation", "default_rng([seed, 0]).permutation",
     "packed rows come in one order in every epoch"),
]
