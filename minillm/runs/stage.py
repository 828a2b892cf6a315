"""A stage of training is one record, which the rest of the program reads."""

from typing import Callable, NamedTuple


class Data(NamedTuple):
    """What the user's own data (--data) mean to a stage."""
    help: str                   # help line of the flag
    load: Callable              # path -> records; raises a ValueError that names file and line
    least: int = 1              # smallest number of records; some stages hold some of them out
    default: str = None         # the stage whose data are used if this stage is given none
    replaces: tuple = ()        # stages whose results are not needed with such data


class Stage(NamedTuple):
    """One stage of training: its verb, section, folder and file in phases/ all have its name."""
    name: str
    number: int                 # part of its random generators' seeds; never another stage's
    label: str                  # what it does, in a few words, for the report and `minillm --help`
    help: str                   # a sentence for `minillm NAME --help`
    run: Callable = None        # run(run): does the work, and leaves results in the run's folder
    measure: Callable = None    # measure(run) -> its numbers for results.json and `minillm eval`
    memory: Callable = None     # memory(configuration, own data?) -> bytes it needs at most, about
    sections: dict = {}         # of the configuration: name -> dataclass of dials
    needs: tuple = ()           # stages that must have begun before
    outputs: tuple = ()         # files and folders in the run's folder; empty: one folder NAME/
    makes: tuple = ()           # stages that are run first, if the run lacks them
    data: Data = None           # what --data means; None if the stage takes no data
    speaks: bool = False        # whether it leaves a language model to generate with

    @property
    def paths(self):
        """Files and folders that the stage leaves in the run's folder."""
        return self.outputs or (self.name,)
