"""Names of people, places, animals, things and qualities, and words, that are not in the world
or about which it does not tell that, though users name them.
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
TOWNS = (
    "Manchester", "Liverpool", "Birmingham", "Sheffield", "Newcastle", "Los Angeles", "Miami",
    "Philadelphia", "Detroit", "Las Vegas", "Atlanta", "Barcelona", "Valencia", "Marseille",
    "Bordeaux", "Frankfurt", "Stuttgart", "Zagreb", "Istanbul", "Moscow", "Dubai", "Singapore",
    "Shanghai", "Hong Kong", "Delhi", "Cape Town", "Buenos Aires", "Vancouver", "Brighton",
    "New York", "Amsterdam", "Brighthaven", "Mudford", "Fernwick", "Coldharbour", "Thornby",
)
VERBS = (
    "think", "teach", "fight", "choose", "steal", "wear", "freeze", "throw", "begin", "hide",
    "shake", "bite", "forget", "feed", "grow", "send", "spend", "feel", "keep", "leave", "meet",
    "know", "speak", "break", "drive", "fly", "hear", "hold", "lose", "read", "stand", "tell",
    "win", "laugh", "dance", "travel", "study", "shout", "carry", "smile",
)
SPELT = (
    "umbrella", "giraffe", "banana", "computer", "elephant", "rainbow", "chocolate", "pencil",
    "monkey", "orange", "sister", "winter", "yellow", "quiet", "island", "number", "village",
    "xylophone", "jungle", "zebra", "football", "ocean", "music", "picture", "sandwich", "teacher",
    "vegetable", "uncle", "nurse", "afternoon", "igloo", "engine", "cloud", "pirate", "rocket",
    "holiday",
)
