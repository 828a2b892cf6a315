"""minillm: a language model from scratch, from raw text to an aligned assistant.

    model = minillm.load("runs/run-001")
    print(model.generate("The cat sat on the"))
"""

__version__ = "0.1.0"
__all__ = ["LanguageModel", "load"]


def load(folder):
    """The LanguageModel in a folder: a run (its most trained model), one of its stages, or a step.

    Raises:  CheckpointError (a ValueError) if there is no checkpoint, or a broken one.
    """
    from minillm.runs.run import model_folder
    from minillm.training.checkpoint import load_checkpoint

    return load_checkpoint(model_folder(folder)).model


def __getattr__(name):
    # Imported on first use, so that `import minillm` stays quick and compiles nothing.
    if name == "LanguageModel":
        from minillm.model.language_model import LanguageModel
        return LanguageModel
    raise AttributeError(f"module 'minillm' has no attribute {name!r}")
