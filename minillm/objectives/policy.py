"""The policy gradient: make tokens that earned more than expected more likely."""

import numpy as np

from minillm.kernels.categorical import categorical_backward, categorical_forward
from minillm.layers.rows import counted
from minillm.losses.policy import (kl_backward, kl_estimates, kl_forward, value_backward,
                                   value_forward)
from minillm.model.heads import scalar_head_backward, scalar_head_forward
from minillm.model.transformer import (head_backward, head_forward, transformer_backward,
                                       transformer_forward)
from minillm.objectives.algorithms import ALGORITHMS
from minillm.objectives.objective import Objective


def policy_objective(params, rollout, config, settings):
    """PPO or REINFORCE with a value loss, an entropy bonus and, optionally, a KL term.

        loss = policy loss + c_v value loss - c_e entropy + [kl_form is "loss"] beta KL

    params: {"model", "value_head"}
    Shapes:  Rollout: all (B, T); where the mask is 1 a token was sampled -> Objective
    Source:  Schulman et al. 2017, arXiv:1707.06347, eq. 9.
    """
    algorithm, temperature = ALGORITHMS[settings.algorithm], settings.temperature
    index = counted(rollout.mask)
    h, body = transformer_forward(rollout.tokens, params["model"], config, rollout.positions,
                                  rollout.visible_from, settings.recompute,
                                  settings.precision, wanted=index)         # (N, C)
    logits, head = head_forward(h, params["model"], settings.precision)     # (N, V)
    logits /= logits.dtype.type(temperature)
    actions, old_logprob, reference_logprob, advantages, returns = (
        field.reshape(-1)[index] for field in (rollout.targets, rollout.old_logprob,
                                               rollout.reference_logprob, rollout.advantages,
                                               rollout.returns))            # (N,) each
    ones = np.ones(len(index), logits.dtype)
    logprob, entropy, lse = categorical_forward(logits, actions)            # (N,) each
    values, value_head = scalar_head_forward(h, params["value_head"])       # (N,)

    policy_loss, policy_cache = algorithm.forward(logprob, old_logprob, advantages, ones, settings)
    value_loss, value_cache = value_forward(values, returns, ones)
    kl_loss, kl_cache = kl_forward(logprob, reference_logprob, ones)
    mean_entropy = entropy.mean()
    loss = policy_loss
    dlogprob = algorithm.backward(1.0, policy_cache)
    if settings.kl_in_loss:
        loss = loss + settings.kl_in_loss * kl_loss
        dlogprob = dlogprob + kl_backward(settings.kl_in_loss, kl_cache)
    loss = (loss + settings.value_coefficient * value_loss
            - settings.entropy_coefficient * mean_entropy)
    dvalues = value_backward(settings.value_coefficient, value_cache)
    dentropy = np.full_like(entropy, -settings.entropy_coefficient / len(index))

    # The gradient overwrites the logits; the division is the chain rule of logits / temperature.
    dlogits = categorical_backward(logits, actions, lse, entropy, dlogprob, dentropy)
    dlogits /= dlogits.dtype.type(temperature)
    dh, d_head = head_backward(dlogits, head)
    dh_value, d_value_head = scalar_head_backward(dvalues, value_head)
    d_model = transformer_backward(dh + dh_value, body, d_head)
    ratio = np.exp(logprob - old_logprob)
    return Objective(float(loss), {"model": d_model, "value_head": d_value_head},
                     float(len(index)),
                     {"value_loss": float(value_loss), "entropy": float(mean_entropy),
                      "kl_k3": float(kl_estimates(logprob, reference_logprob)[2].mean()),
                      "ratio_distance": float(np.abs(ratio - 1).max()),
                      "clipped": float(np.mean(np.abs(ratio - 1) > settings.clip_ratio))})
