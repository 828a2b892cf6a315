"""minillm: a language model from scratch, from raw text to an aligned assistant.

    model = minillm.load("runs/run-001")
    print(model.generate("The cat sat on the"))
"""

__version__ = "0.1.0"
__all__ = ["LanguageModel", "load"]


def load(folder):
    """The LanguageModel in a folder: a run (its most trained model), one of its phases, or one step.

    Raises:  CheckpointError, a ValueError, where there is none, or a broken one.
    """
    from minillm.train.checkpoint import load_checkpoint
    from minillm.train.run_folder import model_folder

    return load_checkpoint(model_folder(folder)).model


def __getattr__(name):
    # On first use, so that `import minillm` stays quick and compiles nothing.
    if name == "LanguageModel":
        from minillm.model.language_model import LanguageModel
        return LanguageModel
    raise AttributeError(f"module 'minillm' has no attribute {name!r}")
