"""Commands that a message tells the user to type: they must work as they are printed."""

import os
import shlex


def command(verb, folder, *flags):
    """`minillm VERB FOLDER FLAGS`, quoted for a shell; -x, which would be a flag, becomes ./-x."""
    place = str(folder)
    place = os.path.join(".", place) if place.startswith("-") else place
    return shlex.join(["minillm", verb, place, *flags])
