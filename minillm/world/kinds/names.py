"""Names of people, countries, animals, things and qualities that are not in the world, though users
name them.
"""

WOMEN = (
    "Agnes", "Alice", "Amy", "Barbara", "Beatrice", "Cecilia", "Charlotte", "Cora", "Diana",
    "Edith", "Eleanor", "Esther", "Florence", "Gloria", "Grace", "Helen", "Ingrid", "Isabel",
    "Jane", "Lena", "Mabel", "Margaret", "Matilda", "Mildred", "Olga", "Rachel", "Rebecca",
    "Ruth", "Sophie", "Stella", "Ursula", "Violet", "Wendy", "Yvonne",
)
MEN = (
    "Bartholomew", "Albert", "Andrew", "Arthur", "Bernard", "Bruno", "Charles", "Chris",
    "Daniel", "Dominic", "Edward", "Eric", "Frank", "Frederick", "Gerald", "Harold", "Harry",
    "Henry", "James", "Joseph", "Kevin", "Louis", "Martin", "Michael", "Nathan", "Otto",
    "Patrick", "Philip", "Roger", "Samuel", "Steven", "Theodore", "Thomas", "Timothy",
    "William", "Winston",
)
NAMES = WOMEN + MEN
HELD_NAMES = frozenset(NAMES[::5])  # fine-tuning never asks who these are
COUNTRIES = (
    "India", "Mexico", "Russia", "Turkey", "Belgium", "Scotland", "Switzerland", "Ukraine",
    "Argentina", "Bolivia", "Nicaragua", "Israel", "Pakistan", "Indonesia", "Malaysia", "Ethiopia",
    "Slovenia", "Laos", "Uganda", "Croatia", "Serbia", "Korea", "Mongolia", "Panama", "Haiti",
    "Cyprus", "Malta", "Paraguay", "Mali", "Chad", "New Zealand", "Mars", "Atlantis", "Texas",
    "Latvia", "Estonia", "Greenland", "Mozambique", "Cambodia", "Bangladesh",
)
ANIMALS = (
    "camel", "kangaroo", "shark", "penguin", "snail", "dolphin", "giraffe", "crocodile", "tiger",
    "hedgehog", "whale", "zebra", "squirrel", "monkey", "spider", "snake", "seal", "hippo",
    "panda", "badger", "crab", "gorilla", "beaver", "swan", "turkey", "lizard", "leopard",
    "hamster", "mole", "koala", "llama", "raven", "rat", "bat", "butterfly",
)
THINGS = (
    "guitar", "laptop", "helmet", "violin", "microscope", "tent", "telescope", "screwdriver",
    "drill", "wheelbarrow", "tractor", "lawnmower", "printer", "fridge", "toaster", "piano",
    "necklace", "surfboard", "compass", "raincoat", "robot", "parachute", "whistle",
    "thermometer", "calculator", "battery", "sofa", "magnet", "trumpet", "bathtub", "corkscrew",
    "shovel", "hairdryer", "keyboard", "microwave", "vase", "drum", "kayak", "pump",
)
QUALITIES = (
    "noisy", "brave", "lazy", "purple", "famous", "hungry", "gentle", "jealous", "spicy", "modern",
    "polite", "rough", "shiny", "silly", "tasty", "ugly", "wooden", "wild", "proud", "sticky",
    "crazy", "dusty", "flat", "foggy", "funny", "golden", "hairy", "juicy", "lonely", "lucky",
    "magic", "nervous", "pink", "royal", "salty", "secret", "tropical", "useful", "violent",
    "weird",
)
