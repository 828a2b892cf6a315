"""People who are in no world: users, their families and strangers, and what they have.

Users tell such things about themselves, and some documents are about such people. None of it is
true in the world, so it can only be read from the conversation or the document itself.
"""

from minillm.world import invented, real

NAMES = ("Ada", "Alan", "Amir", "Bob", "Bruno", "Chloe", "Diego", "Ella", "Eva", "Finn", "Frank",
         "Grace", "Harry", "Ines", "James", "Lena", "Liam", "Mary", "Mia", "Milo", "Nina", "Omar",
         "Paul", "Sam", *invented.WOMEN, *invented.MEN)
PLACES = ("York", "Boston", "London", *(capital for _, capital, *_ in real.COUNTRIES))
SPECIES = (*invented.PETS, "hamster", "mouse", "hen", "horse")
MEALS = (*invented.FOODS, "eggs", "beans", "nuts", "potatoes", "carrots", "pizza")
RELATIVES = ("sister", "brother", "mother", "father", "friend", "uncle", "son", "daughter")
