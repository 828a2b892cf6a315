"""Facts that hold in every world: countries, things, animals, opposites, plurals, past tenses.

Each table is a tuple with one row for each entity; facts.py turns the rows into records. The first
quarter of each table is its held-out part (facts.held_out_part). Its rows are ordered so that every
four rows, counted from the first, have four different answers to each question.
"""

# name, capital, continent, main language
COUNTRIES = (
    ("Hungary", "Budapest", "Europe", "Hungarian"),
    ("Japan", "Tokyo", "Asia", "Japanese"),
    ("Egypt", "Cairo", "Africa", "Arabic"),
    ("Peru", "Lima", "South America", "Spanish"),
    ("Sweden", "Stockholm", "Europe", "Swedish"),
    ("Thailand", "Bangkok", "Asia", "Thai"),
    ("Algeria", "Algiers", "Africa", "Arabic"),
    ("Brazil", "Brasilia", "South America", "Portuguese"),
    ("Greece", "Athens", "Europe", "Greek"),
    ("Nepal", "Kathmandu", "Asia", "Nepali"),
    ("Kenya", "Nairobi", "Africa", "Swahili"),
    ("Chile", "Santiago", "South America", "Spanish"),
    ("France", "Paris", "Europe", "French"),
    ("Spain", "Madrid", "Europe", "Spanish"),
    ("Italy", "Rome", "Europe", "Italian"),
    ("Germany", "Berlin", "Europe", "German"),
    ("Portugal", "Lisbon", "Europe", "Portuguese"),
    ("Poland", "Warsaw", "Europe", "Polish"),
    ("Norway", "Oslo", "Europe", "Norwegian"),
    ("Finland", "Helsinki", "Europe", "Finnish"),
    ("Denmark", "Copenhagen", "Europe", "Danish"),
    ("Austria", "Vienna", "Europe", "German"),
    ("Ireland", "Dublin", "Europe", "English"),
    ("Bulgaria", "Sofia", "Europe", "Bulgarian"),
    ("Romania", "Bucharest", "Europe", "Romanian"),
    ("China", "Beijing", "Asia", "Chinese"),
    ("Vietnam", "Hanoi", "Asia", "Vietnamese"),
    ("Iran", "Tehran", "Asia", "Persian"),
    ("Lebanon", "Beirut", "Asia", "Arabic"),
    ("Morocco", "Rabat", "Africa", "Arabic"),
    ("Tunisia", "Tunis", "Africa", "Arabic"),
    ("Tanzania", "Dodoma", "Africa", "Swahili"),
    ("Iceland", "Reykjavik", "Europe", "Icelandic"),
    ("Ecuador", "Quito", "South America", "Spanish"),
    ("Colombia", "Bogota", "South America", "Spanish"),
    ("Uruguay", "Montevideo", "South America", "Spanish"),
    ("Canada", "Ottawa", "North America", "English"),
    ("Cuba", "Havana", "North America", "Spanish"),
    ("Australia", "Canberra", "Oceania", "English"),
    ("Samoa", "Apia", "Oceania", "Samoan"),
)

# name, use ("You ... with it"), place where people keep it, material
THINGS = (
    ("knife", "cut bread", "kitchen", "metal"),
    ("comb", "tidy your hair", "bathroom", "plastic"),
    ("pencil", "draw a picture", "desk", "wood"),
    ("blanket", "keep warm in bed", "bedroom", "wool"),
    ("saddle", "ride a horse", "stable", "leather"),
    ("towel", "dry your hands", "bathroom", "cotton"),
    ("map", "find the way", "car", "paper"),
    ("net", "catch fish", "boat", "string"),
    ("hose", "water the flowers", "garden", "rubber"),
    ("cup", "drink tea", "kitchen", "clay"),
    ("spoon", "eat soup", "kitchen", "metal"),
    ("mirror", "see your face", "bathroom", "glass"),
    ("broom", "sweep the floor", "hall", "straw"),
    ("pillow", "rest your head", "bedroom", "cotton"),
    ("hammer", "hit nails", "toolbox", "metal"),
    ("cart", "move hay", "barn", "wood"),
    ("book", "read a story", "library", "paper"),
    ("camera", "take a photo", "bag", "plastic"),
    ("saw", "cut wood", "shed", "metal"),
    ("ruler", "measure a line", "school bag", "wood"),
    ("coat", "keep warm outside", "hall", "wool"),
    ("bucket", "carry water", "barn", "metal"),
    ("key", "open a lock", "pocket", "metal"),
    ("ladder", "reach the roof", "garage", "wood"),
    ("ball", "play football", "garden", "leather"),
    ("clock", "tell the time", "hall", "metal"),
    ("pen", "write a letter", "desk", "plastic"),
    ("bandage", "cover a wound", "bathroom", "cotton"),
    ("spade", "dig a hole", "shed", "metal"),
    ("kettle", "boil water", "kitchen", "metal"),
    ("jar", "store jam", "pantry", "glass"),
    ("toothbrush", "clean your teeth", "bathroom", "plastic"),
    ("bowl", "mix dough", "kitchen", "clay"),
    ("basket", "carry apples", "pantry", "straw"),
    ("needle", "sew a shirt", "drawer", "metal"),
    ("stamp", "send a letter", "desk", "paper"),
    ("pan", "fry an egg", "kitchen", "metal"),
    ("wallet", "carry money", "pocket", "leather"),
    ("candle", "light a dark room", "drawer", "wax"),
    ("scale", "weigh flour", "kitchen", "metal"),
)

# name, young, sound, home
ANIMALS = (
    ("cow", "calf", "moo", "barn"),
    ("duck", "duckling", "quack", "pond"),
    ("wolf", "pup", "howl", "forest"),
    ("pig", "piglet", "grunt", "sty"),
    ("goat", "kid", "bleat", "hills"),
    ("dog", "puppy", "bark", "kennel"),
    ("cat", "kitten", "meow", "house"),
    ("horse", "foal", "neigh", "stable"),
    ("sheep", "lamb", "baa", "meadow"),
    ("hen", "chick", "cluck", "coop"),
    ("goose", "gosling", "honk", "lake"),
    ("lion", "cub", "roar", "grassland"),
    ("frog", "tadpole", "croak", "marsh"),
    ("owl", "owlet", "hoot", "tree"),
    ("bee", "larva", "buzz", "hive"),
    ("mouse", "pup", "squeak", "hole"),
    ("elephant", "calf", "trumpet", "savanna"),
    ("donkey", "foal", "bray", "field"),
    ("bird", "chick", "sing", "nest"),
    ("bear", "cub", "growl", "cave"),
)

# word, its opposite
OPPOSITES = (
    ("hot", "cold"), ("big", "small"), ("fast", "slow"), ("wet", "dry"),
    ("full", "empty"), ("loud", "quiet"), ("rich", "poor"), ("early", "late"),
    ("tall", "short"), ("old", "young"), ("day", "night"), ("up", "down"),
    ("left", "right"), ("open", "closed"), ("happy", "sad"), ("heavy", "light"),
    ("hard", "soft"), ("strong", "weak"), ("clean", "dirty"), ("high", "low"),
    ("near", "far"), ("thick", "thin"), ("first", "last"), ("good", "bad"),
    ("north", "south"), ("east", "west"), ("push", "pull"), ("win", "lose"),
    ("buy", "sell"), ("true", "false"), ("black", "white"), ("deep", "shallow"),
)

# a sort of things, in the plural, and some members
SORTS = (
    ("colours", ("red", "blue", "green", "yellow", "white", "black", "brown")),
    ("fruits", ("apples", "pears", "plums", "cherries", "grapes", "bananas")),
    ("vegetables", ("carrots", "onions", "beans", "potatoes", "tomatoes")),
    ("farm animals", ("cows", "pigs", "sheep", "hens", "goats")),
    ("wild animals", ("wolves", "bears", "lions", "foxes", "owls")),
    ("pets", ("dogs", "cats", "rabbits", "parrots", "turtles")),
    ("tools", ("hammers", "saws", "spades", "axes", "rakes")),
    ("days of the week", ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
                          "Sunday")),
    ("months", ("January", "March", "April", "May", "June", "July", "October")),
    ("rooms", ("the kitchen", "the bedroom", "the bathroom", "the cellar", "the hall")),
    ("drinks", ("water", "milk", "tea", "coffee", "juice")),
    ("things to wear", ("shirts", "coats", "hats", "socks", "shoes")),
    ("parts of the body", ("the arm", "the leg", "the nose", "the ear", "the foot")),
)

# singular, plural
PLURALS = (
    ("box", "boxes"), ("child", "children"), ("leaf", "leaves"), ("city", "cities"),
    ("mouse", "mice"), ("dish", "dishes"), ("loaf", "loaves"), ("tooth", "teeth"),
    ("cat", "cats"), ("dog", "dogs"), ("tree", "trees"), ("book", "books"),
    ("cup", "cups"), ("house", "houses"), ("apple", "apples"), ("bird", "birds"),
    ("bus", "buses"), ("fox", "foxes"), ("church", "churches"), ("glass", "glasses"),
    ("baby", "babies"), ("story", "stories"), ("berry", "berries"), ("lady", "ladies"),
    ("wolf", "wolves"), ("knife", "knives"), ("man", "men"), ("woman", "women"),
    ("goose", "geese"), ("foot", "feet"), ("potato", "potatoes"), ("tomato", "tomatoes"),
)

# base form, past form
PASTS = (
    ("walk", "walked"), ("go", "went"), ("sing", "sang"), ("buy", "bought"),
    ("paint", "painted"), ("write", "wrote"), ("catch", "caught"), ("swim", "swam"),
    ("play", "played"), ("open", "opened"), ("help", "helped"), ("cook", "cooked"),
    ("jump", "jumped"), ("wash", "washed"), ("clean", "cleaned"), ("climb", "climbed"),
    ("eat", "ate"), ("see", "saw"), ("run", "ran"), ("drink", "drank"),
    ("bring", "brought"), ("make", "made"), ("find", "found"), ("give", "gave"),
    ("take", "took"), ("sleep", "slept"), ("draw", "drew"), ("fall", "fell"),
    ("ride", "rode"), ("sell", "sold"), ("build", "built"), ("come", "came"),
)
