"""Documents of one special domain, for domain adaptation: log entries of lock keepers on a canal.

Nearly all of their terms (JARGON) are absent from the corpus.
"""

from minillm.world.invented import MONTHS
from minillm.world.kinds import pick
from minillm.world.requests import SPLITS

JARGON = (
    "paddle", "ground paddle", "gate paddle", "sluice", "pound", "lower gate", "upper gate",
    "mitre", "balance beam", "windlass", "cill", "chamber", "bywash", "weir", "rack", "pawl",
    "pinion", "winding hole", "stop plank", "towpath", "bollard", "strapping post", "lengthsman",
    "butty", "flyboat", "staircase", "side pond", "culvert", "puddle clay", "summit", "feeder",
    "coping", "quoin", "heel post", "toll", "gauging rod", "freeboard", "lockage", "tailwater",
    "penstock",
)
BOATS = ("Heron", "Otter", "Linnet", "Kingfisher", "Swan", "Curlew", "Plover", "Wren", "Dipper")
HELD_BOATS = ("Moorhen", "Bittern", "Grebe")  # only for evaluation; every entry names a boat
CARGOES = ("coal", "wool", "apples", "bricks", "timber", "salt")
WEATHERS = ("rain all night", "frost on the coping", "a dry wind", "fog on the towpath",
            "high water", "a calm day")

PASSAGES = (  # a boat passes the lock; every entry has one of these
    "The flyboat {boat} came up with {cargo}, and we drew each gate paddle slowly.",
    "The boat {boat} and her butty came down with {cargo} and took two lockages.",
    "{keeper} held the boat {boat} at the strapping post until the chamber was full.",
    "The boat {boat} paid the toll for {cargo} after we put the gauging rod to her side.",
    "The boat {boat} had little freeboard, so we filled the chamber by the ground paddle alone.",
    "The boat {boat} caught on the cill, and {keeper} dropped the paddle at once.",
)
WORKS = (  # work on the lock; every entry has three or four of these
    "The pound above us is {inches} inches low, so we opened the sluice at the feeder.",
    "{keeper} greased the rack and the pinion of the ground paddle.",
    "The pawl slipped twice, and a windlass flew off the spindle.",
    "We set the stop planks and drained the chamber to look at the cill.",
    "The mitre of the lower gate leaks, and the tailwater is rough.",
    "The balance beam of the upper gate is loose at the heel post.",
    "The lengthsman packed puddle clay behind the quoin.",
    "The bywash is full of weed, and the weir runs over.",
    "We let {inches} inches down from the summit to feed the staircase.",
    "The side pond saved half a lockage today.",
    "A boat turned in the winding hole and broke a bollard.",
    "The culvert under the towpath is blocked with leaves.",
    "The penstock at the weir sticks, so {keeper} eased it with a bar.",
    "The lengthsman walked the towpath from the staircase to the summit.",
    "Two stones of the coping are loose beside the upper gate.",
    "We raised the penstock by {inches} inches, and the pound came up before night.",
    "The rack of the gate paddle lost a tooth, so {keeper} sent for a new pinion.",
    "A stop plank is missing from the store beside the lower gate.",
    "The heel post turns hard in the quoin and wants grease.",
    "Keep the windlass off the balance beam when the gate is moving.",
    "The tailwater stood {inches} inches over the weir at noon.",
    "The feeder is clear again, and the side pond is full.",
)
CLOSINGS = ("All gates shut at night.", "Both gates were left on the mitre.",
            "Nothing more to report.", "The night watch goes to {keeper}.",
            "Water enough for tomorrow.")


def domain_documents(world, n, rng, split="train"):
    """Draw n log entries of 40 to 90 words; those of "held_out" name boats that "train" never does.

    Raises:  ValueError for a split other than "train" and "held_out".
    """
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}, but must be one of {SPLITS}")
    boats = HELD_BOATS if split == "held_out" else BOATS
    return [_entry(world, boats, rng) for _ in range(n)]


def _entry(world, boats, rng):
    town, day, month = pick(rng, world.towns).name, int(rng.integers(1, 29)), pick(rng, MONTHS)
    lines = [f"{town} lock, {day} {month}. We had {pick(rng, WEATHERS)}.", pick(rng, PASSAGES)]
    lines += [WORKS[i] for i in rng.permutation(len(WORKS))[: int(rng.integers(3, 5))]]
    lines.append(pick(rng, CLOSINGS))
    return " ".join(line.format(boat=pick(rng, boats), cargo=pick(rng, CARGOES),
                                inches=int(rng.integers(2, 10)),
                                keeper=pick(rng, world.people).name) for line in lines)
