"""Pools from which a seed draws the invented part of the world: towns, people, pets and events."""

TOWNS = ("Brindlewick", "Oakhollow", "Fernmere", "Pebblecombe", "Maplewell", "Saltbrook",
         "Thistledown", "Larkhaven", "Millbarrow", "Copperfold", "Windleby", "Ashenford",
         "Dunmarrow", "Rushwater", "Hazelmoor", "Greycliff", "Honeyfield", "Silverstoke")
RIVERS = ("Lunn", "Teff", "Marrow", "Skell", "Wend", "Orrin", "Pell", "Drift", "Calder", "Nuttle",
          "Birle", "Rook", "Sarn", "Vole", "Hask", "Tamble")
LANDMARKS = ("clock tower", "stone bridge", "old windmill", "round castle", "white lighthouse",
             "glass garden", "red church", "long wall", "great oak", "market square",
             "silver fountain", "king's statue", "rope bridge", "deep well", "tall chimney",
             "painted gate")
FAMOUS_FOR = ("cheese", "honey", "apples", "glass", "boats", "bread", "wool", "roses", "clocks",
              "fish", "paper", "pears", "candles", "pots", "kites", "jam")

WOMEN = ("Anna", "Clara", "Emma", "Greta", "Ida", "Julia", "Laura", "Maria", "Nora", "Paula",
         "Rosa", "Sara", "Tilda", "Wanda", "Zoe", "Bella", "Dora", "Elsa", "Fiona", "Hanna",
         "Irene", "Kate", "Lucy", "Mona")
MEN = ("Adam", "Boris", "Carl", "David", "Erik", "Felix", "George", "Hugo", "Ivan", "Jack", "Karl",
       "Leo", "Max", "Niko", "Oscar", "Peter", "Quinn", "Robert", "Simon", "Tom", "Victor",
       "Walter", "Ben", "Dan")
TRADES = ("baker", "teacher", "doctor", "farmer", "painter", "carpenter", "tailor", "gardener",
          "sailor", "miller")
PETS = ("dog", "cat", "rabbit", "parrot", "goat", "duck", "pony", "turtle")
PET_NAMES = ("Biscuit", "Pepper", "Daisy", "Rusty", "Shadow", "Ginger", "Patch", "Cloud", "Button",
             "Nutmeg", "Mango", "Velvet", "Pebble", "Bramble", "Cocoa", "Olive", "Domino",
             "Clover", "Marble", "Sparky", "Toffee", "Willow", "Ziggy", "Smoky", "Plum", "Dusty",
             "Muffin", "Storm", "Poppy", "Hazel", "Rocket", "Misty", "Pickle", "Sunny", "Socks",
             "Bubbles", "Fern", "Ruby", "Jasper", "Acorn", "Midnight", "Snowy", "Peanut", "Tiger")
FOODS = ("soup", "bread", "cheese", "cake", "fish", "rice", "honey", "pancakes", "apples", "pears")

# (verb in the base form, verb in the past, object)
HAPPENINGS = (
    ("open", "opened", "a new library"),
    ("build", "built", "a wooden bridge"),
    ("hold", "held", "a music festival"),
    ("plant", "planted", "a thousand trees"),
    ("open", "opened", "a new school"),
    ("build", "built", "a big playground"),
    ("repair", "repaired", "the old harbour"),
    ("win", "won", "the kite race"),
    ("open", "opened", "a small museum"),
    ("paint", "painted", "the town hall"),
    ("hold", "held", "a winter market"),
    ("buy", "bought", "a new fire engine"),
)

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September",
          "October", "November", "December")
