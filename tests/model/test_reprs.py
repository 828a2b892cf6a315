"""What a debugger shows of the larger objects: one to three lines, without their numbers."""

import numpy as np
import tiny

from minillm.model.transformer import transformer_forward
from minillm.objectives.next_token import next_token_objective
from minillm.optim.adamw import adamw_init
from minillm.training.checkpoint import load_checkpoint, save_checkpoint
from minillm.training.loop import State


def test_large_objects_have_short_reprs(tmp_path):
    model = tiny.model()
    prediction = model.predict_next(tiny.prompts()[0])
    likeliest = int(np.argmax(prediction.probs))
    shown = {
        "model": (repr(model), "parameters in 2 blocks of width 60"),
        "prediction": (repr(prediction), f"{likeliest}: {prediction.probs[likeliest]:.3f}"),
        "adjustment": (repr(model.adjust_weights(prediction, 7, lr=0.0)), "nats"),
        "tokenizer": (repr(model.tokenizer), f"{model.tokenizer.vocab_size} tokens"),
        "objective": (repr(next_token_objective(model.params, tiny.batch(tiny.config()), model.config)), "loss"),
        "checkpoint": (repr(load_checkpoint(save_checkpoint(tmp_path, 3, model))), "step 3"),
    }
    batch = tiny.batch(tiny.config())
    h, cache = transformer_forward(batch.tokens, tiny.params(tiny.config()), tiny.config(), batch.positions,
                                   batch.visible_from)
    shown["batch"] = repr(batch), "tokens (4, 7) int32"
    shown["block's cache"] = repr(cache.blocks[0]), "attention AttentionCache"
    shown["attention's cache"] = repr(cache.blocks[0].attention), "q (4, 7, 6, 10) float64"
    shown["linear layer's cache"] = repr(cache.blocks[0].attention.output), "params 1 arrays"
    shown["state"] = repr(State(model.params, adamw_init(model.params))), "rollout None"
    for name, (text, part) in shown.items():
        assert part in text, name
        assert text.count("\n") < 4 and len(text) < 400, name
