"""minillm: a language model from scratch, from raw text to an aligned assistant.

    model = minillm.train(["The cat sat on the mat.", "The dog sat on the log."], steps=100)
    minillm.finetune(model, [("Where is the cat?", "On the mat.")])
    print(model.chat("Where is the cat?"))
    model.save("my-model")
"""

from importlib import import_module

__version__ = "0.1.0"
__all__ = ["LanguageModel", "finetune", "load", "load_adapter", "save_reward_model", "train"]

PLACES = {"LanguageModel": "minillm.model.language_model", "finetune": "minillm.library",
          "load": "minillm.library", "load_adapter": "minillm.library",
          "save_reward_model": "minillm.library", "train": "minillm.library"}


def __getattr__(name):
    # Imported on first use, so that `import minillm` stays quick and compiles nothing.
    if name in PLACES:
        return getattr(import_module(PLACES[name]), name)
    raise AttributeError(f"module 'minillm' has no attribute {name!r}")


def __dir__():
    return [*globals(), *__all__]
