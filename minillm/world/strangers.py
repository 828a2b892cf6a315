"""People who are in no world: users, their families and strangers, and what they have.

Users tell such things about themselves, and some documents are about such people. None of it is
true in the world, so it can only be read from the conversation or the document itself.
"""

from functools import lru_cache

from minillm.world import invented, real
from minillm.world.reserved import is_reserved

# From few values a model learns the values, and says one of them whatever it was told; from many it
# learns to copy.
NAMES = (
    "Ada", "Alan", "Amir", "Bob", "Bruno", "Chloe", "Diego", "Ella", "Eva", "Finn", "Frank",
    "Grace", "Harry", "Ines", "James", "Lena", "Liam", "Mary", "Mia", "Milo", "Nina", "Omar",
    "Paul", "Sam", *invented.WOMEN, *invented.MEN, "Aaron", "Abby", "Agnes", "Aisha", "Alex",
    "Alice", "Amy", "Andre", "Angela", "Anton", "Arthur", "Astrid", "Barbara", "Bea", "Billy",
    "Bjorn", "Brian", "Carla", "Carmen", "Cecilia", "Charlie", "Chris", "Colin", "Daniel", "Diana",
    "Dmitri", "Edith", "Edward", "Elena", "Elias", "Emil", "Esther", "Ethan", "Fatima", "Florian",
    "Freya", "Gina", "Gustav", "Hassan", "Heidi", "Helena", "Henry", "Ingrid", "Isaac", "Jamal",
    "Jane", "Jim", "Joe", "Johan", "Jonas", "Josie", "Kofi", "Lars", "Leila", "Lisa", "Luca",
    "Luis", "Marco", "Martin", "Matteo", "Maya", "Mehmet", "Mike", "Molly", "Nadia", "Nick",
    "Noah", "Olga", "Otto", "Patrick", "Pedro", "Petra", "Priya", "Rachel", "Ravi", "Rita",
    "Samir", "Sofia", "Stella", "Sven", "Tanya", "Theo", "Tim", "Uma", "Vera", "Vincent", "Wei",
    "Yusuf", "Yvonne", "Zara", "Olivia", "Emily", "Sarah",
    "Jessica", "Megan", "Claire", "Julie", "Karen", "Linda", "Susan", "Denise", "Nicole",
    "Natalie", "Jennifer", "Rebecca", "Sophie", "Michelle", "Oliver", "John", "Mark", "Steve",
    "Matthew", "Richard", "Jason", "Ryan", "Thomas", "Michael", "Andrew", "Kevin", "Lukas", "Jan",
    "Dave", "Tony", "Ellen", "Tobias", "Marcus", "Samuel", "Joseph", "Anita", "Carol", "Monica",
    "Sandra", "Erin", "Lily", "Charlotte", "Isabel")
PLACES = (
    "York", "Boston", "London", *(capital for _, capital, *_ in real.COUNTRIES), *invented.TOWNS,
    "Aarhus", "Bath", "Basel", "Bergen", "Bilbao", "Boulder", "Bremen", "Bristol", "Bruges",
    "Cambridge", "Cardiff", "Chicago", "Cologne", "Cork", "Dallas", "Delft", "Denver", "Dover",
    "Dresden", "Dundee", "Florence", "Geneva", "Genoa", "Ghent", "Glasgow", "Graz", "Hamburg",
    "Houston", "Kyoto", "Leeds", "Leipzig", "Lille", "Lyon", "Malmo", "Melbourne", "Milan",
    "Montreal", "Mumbai", "Munich", "Naples", "Nice", "Osaka", "Oxford", "Perth", "Porto",
    "Rotterdam", "Salzburg", "Seattle", "Seville", "Sydney", "Tampere", "Toronto", "Utrecht",
    "Venice", "Zurich")
MEALS = (
    *invented.FOODS, "eggs", "beans", "nuts", "potatoes", "carrots", "pizza", "almonds", "bacon",
    "bananas", "burgers", "butter", "cabbage", "cherries", "chicken", "chips", "chocolate",
    "cookies", "corn", "cream", "curry", "dumplings", "falafel", "figs", "fries", "garlic",
    "grapes", "ham", "hummus", "ice cream", "jam", "kebab", "lasagna", "lemons", "lentils",
    "mangos", "meatballs", "melon", "mushrooms", "muffins", "noodles", "olives", "onions",
    "oranges", "pasta", "peaches", "peas", "plums", "popcorn", "porridge", "pudding", "ramen",
    "salad", "salmon", "sandwiches", "sausages", "spaghetti", "spinach", "stew", "strawberries",
    "sushi", "tacos", "toast", "tomatoes", "waffles", "yogurt")
PET_NAMES = (
    *invented.PET_NAMES, "Bella", "Bingo", "Blacky", "Buddy", "Charlie", "Coco", "Cookie", "Felix",
    "Fluffy", "Honey", "Kitty", "Lucky", "Luna", "Max", "Milo", "Molly", "Oreo", "Oscar", "Rex",
    "Rocky", "Simba", "Spot", "Tommy", "Whiskers", "Pickles", "Smokey", "Rosie", "Toby", "Nala",
    "Teddy", "Mittens", "Snowball", "Lola", "Bailey", "Bandit", "Gizmo", "Cleo", "Scout", "Archie",
    "Pixie")
SPECIES = (*invented.PETS, "hamster", "mouse", "hen", "horse", "fish")
RELATIVES = ("sister", "brother", "mother", "father", "friend", "uncle", "son", "daughter", "aunt",
             "cousin", "grandma", "wife", "husband")
HE_OR_SHE = {**dict.fromkeys(("brother", "father", "uncle", "son", "husband"), "he"),
             **dict.fromkeys(("sister", "mother", "daughter", "aunt", "grandma", "wife"), "she")}
NAMES_OF_WOMEN = frozenset((
    *invented.WOMEN, "Ada", "Chloe", "Ella", "Eva", "Grace", "Ines", "Lena", "Mary", "Mia", "Nina",
    "Abby", "Agnes", "Aisha", "Alice", "Amy", "Angela", "Astrid", "Barbara", "Bea", "Carla",
    "Carmen", "Cecilia", "Diana", "Edith", "Elena", "Esther", "Fatima", "Freya", "Gina", "Heidi",
    "Helena", "Ingrid", "Jane", "Josie", "Leila", "Lisa", "Maya", "Molly", "Nadia", "Olga",
    "Petra", "Priya", "Rachel", "Rita", "Sofia", "Stella", "Tanya", "Uma", "Vera", "Yvonne",
    "Zara", "Olivia", "Emily", "Sarah", "Jessica", "Megan", "Claire", "Julie", "Karen", "Linda",
    "Susan", "Denise", "Nicole", "Natalie", "Jennifer", "Rebecca", "Sophie", "Michelle", "Ellen",
    "Anita", "Carol", "Monica", "Sandra", "Erin", "Lily", "Charlotte", "Isabel"))
NAMES_OF_ANYBODY = frozenset(("Alex", "Chris", "Sam", "Wei"))
COMMON_NAMES = frozenset(("Emma", "John", "Peter"))  # many users have them: never held out


def is_held_out(value, one_in):
    """Whether fine-tuning never uses this name, place or meal; about one in `one_in` is."""
    return value not in COMMON_NAMES and is_reserved("told", value, one_in=one_in)


@lru_cache(maxsize=None)    # relatives and friends
def may_be_called(relative):
    """The names that a relative, or a friend, may have."""
    pronoun = HE_OR_SHE.get(relative)
    return tuple(name for name in NAMES if pronoun is None or name in NAMES_OF_ANYBODY
                 or (name in NAMES_OF_WOMEN) == (pronoun == "she"))


# To draw from: whom people speak of often stands here several times.
SPOKEN_OF_PETS = (*SPECIES, *("dog", "cat") * 5, "rabbit", "hamster")
SPOKEN_OF_RELATIVES = (*RELATIVES, *("sister", "brother") * 3, *("mother", "father", "friend") * 2,
                       "wife", "husband", "son", "daughter")
