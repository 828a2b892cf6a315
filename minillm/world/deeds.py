"""What is wrong to do, and what is harmless or kind though it may sound like it.

One table for the documents (documents/morals.py), which say of every deed whether it is wrong, and
for the requests (kinds/), of which harmful ones must be refused and harmless ones must not.

A deed is (phrase, sort of its object). The object takes the place of {o}; OBJECTS has some of every
sort. The sort "" means that the phrase is complete.
"""

ANIMALS = ("a dog", "a cat", "a horse", "a cow", "a goat", "a hen", "a pig", "a duck", "a bird",
           "a sheep", "a donkey", "a rabbit", "my dog", "my cat", "the hen", "my neighbour's dog",
           "the neighbour's cat", "a mouse")
PERSONS = ("a friend", "a child", "a neighbour", "a teacher", "a stranger", "a baker", "a farmer",
           "an old man", "an old woman", "a boy", "a girl", "a guest", "my brother", "my sister",
           "my teacher", "my neighbour", "my friend", "somebody", "a man", "a woman")
OBJECTS = {
    "animal": ANIMALS,
    "person": PERSONS,
    "anybody": ANIMALS + PERSONS,
    "thing": ("a bicycle", "a boat", "a car", "a coat", "a clock", "a lamp", "a ring", "a bag",
              "a phone", "a chair", "a hat", "an umbrella", "an old car", "a watch", "a book",
              "a new bicycle"),
    "house": ("a house", "a shop", "a school", "a bank", "a library", "a church", "a museum",
              "an office", "a barn", "a station", "the house of my neighbour", "a hotel",
              "the town hall", "a castle"),
}

CRUEL = (  # wrong because it hurts somebody
    ("kill {o}", "anybody"), ("poison {o}", "anybody"), ("strangle {o}", "anybody"),
    ("stab {o}", "anybody"), ("shoot {o}", "anybody"), ("drown {o}", "anybody"),
    ("torture {o}", "anybody"), ("starve {o}", "anybody"), ("hurt {o}", "anybody"),
    ("harm {o}", "anybody"), ("injure {o}", "anybody"), ("kick {o}", "anybody"),
    ("hit {o}", "anybody"), ("beat {o}", "anybody"), ("punch {o}", "anybody"),
    ("slap {o}", "anybody"), ("whip {o}", "anybody"), ("choke {o}", "anybody"),
    ("burn {o}", "anybody"), ("attack {o}", "anybody"), ("frighten {o}", "anybody"),
    ("scare {o} at night", "anybody"), ("push {o} into the river", "anybody"),
    ("throw stones at {o}", "anybody"), ("lock {o} in the cellar", "anybody"),
    ("trap {o}", "animal"), ("push {o} down the stairs", "person"), ("bully {o}", "person"),
    ("threaten {o}", "person"), ("insult {o}", "person"), ("lie to {o}", "person"),
    ("cheat {o}", "person"), ("trick {o}", "person"), ("stalk {o}", "person"),
    ("spy on {o}", "person"), ("poison the food of {o}", "person"),
    ("read the letters of {o} in secret", "person"), ("pinch {o}", "anybody"),
    ("spit at {o}", "anybody"), ("tie {o} to a tree", "anybody"), ("mock {o}", "person"),
    ("chase {o} with a stick", "animal"), ("pull the tail of {o}", "animal"),
    ("bite {o}", "anybody"), ("crush {o}", "anybody"), ("shove {o} into the mud", "anybody"),
    ("trip {o} on the stairs", "person"), ("drag {o} by the hair", "person"),
    ("strike {o} with a belt", "anybody"), ("leave {o} alone in the desert", "anybody"),
    ("yell at {o} all night", "person"), ("laugh at the tears of {o}", "person"),
    ("betray {o}", "person"), ("poke {o} in the eye", "anybody"),
    ("prick {o} with a needle", "anybody"), ("bury {o} alive", "anybody"),
    ("knock {o} to the ground", "anybody"), ("spread lies about {o}", "person"),
    ("shut {o} in a tiny box", "anybody"),
)
CRIMES = (  # wrong because the law forbids it
    ("murder {o}", "person"), ("kidnap {o}", "person"), ("rob {o}", "person"),
    ("blackmail {o}", "person"), ("steal money from {o}", "person"),
    ("steal the password of {o}", "person"), ("hack the phone of {o}", "person"),
    ("hack the computer of {o}", "person"), ("forge the signature of {o}", "person"),
    ("steal {o}", "thing"), ("smash {o}", "thing"), ("damage {o}", "thing"),
    ("destroy {o}", "thing"), ("rob {o}", "house"), ("break into {o}", "house"),
    ("burgle {o}", "house"), ("burn down {o}", "house"), ("set fire to {o}", "house"),
    ("blow up {o}", "house"), ("vandalize {o}", "house"),
    ("smash the windows of {o}", "house"), ("rob a train", ""), ("poison a well", ""),
    ("build a bomb", ""), ("make poison", ""), ("forge money", ""), ("smuggle drugs", ""),
    ("sell drugs", ""), ("smuggle guns", ""), ("set fire to a forest", ""),
    ("bribe {o}", "person"), ("scratch {o}", "thing"), ("wreck {o}", "thing"),
    ("raid {o}", "house"), ("loot {o}", "house"), ("print false money", ""),
    ("snatch the purse of {o}", "person"), ("bomb {o}", "house"), ("flood {o}", "house"),
    ("crash a car into {o}", "house"), ("drive a stolen car", ""), ("hide stolen money", ""),
    ("fake a passport", ""), ("slash the tyres of a car", ""), ("dump poison into a river", ""),
)
WRONG = CRUEL + CRIMES

KIND = (  # it does somebody good
    ("feed {o}", "anybody"), ("help {o}", "anybody"), ("hug {o}", "anybody"),
    ("save {o} from the river", "anybody"), ("pull {o} out of the river", "anybody"),
    ("protect {o}", "anybody"), ("look after {o}", "anybody"), ("play with {o}", "anybody"),
    ("find a home for {o}", "anybody"), ("keep {o} warm at night", "anybody"),
    ("bring {o} home", "anybody"), ("give {o} some water", "anybody"),
    ("wash {o}", "animal"), ("brush {o}", "animal"), ("pet {o}", "animal"),
    ("thank {o}", "person"), ("visit {o}", "person"), ("invite {o}", "person"),
    ("surprise {o} with a cake", "person"), ("make {o} happy", "person"),
    ("cheer up {o}", "person"), ("forgive {o}", "person"), ("listen to {o}", "person"),
    ("bake a cake for {o}", "person"), ("write a letter to {o}", "person"),
    ("teach {o} a song", "person"), ("tell {o} a joke", "person"),
    ("lend money to {o}", "person"), ("say sorry to {o}", "person"), ("comfort {o}", "person"),
    ("greet {o}", "person"), ("carry the bag of {o}", "person"), ("sing to {o}", "anybody"),
    ("dance with {o}", "person"), ("walk with {o}", "anybody"), ("cook for {o}", "person"),
    ("read a story to {o}", "person"), ("calm {o}", "anybody"), ("train {o}", "animal"),
    ("welcome {o}", "person"), ("praise {o}", "person"),
    ("hold the door for {o}", "person"), ("stroke {o}", "animal"),
    ("rescue {o} from the ice", "anybody"), ("warn {o} of danger", "person"),
    ("share lunch with {o}", "person"), ("send flowers to {o}", "person"),
    ("guide {o} home", "anybody"), ("cover {o} with a blanket", "anybody"),
    ("wish {o} good luck", "person"), ("offer {o} a seat", "person"),
    ("lift {o} out of a hole", "anybody"), ("show {o} the way", "person"),
    ("serve {o} some soup", "person"), ("defend {o}", "anybody"),
)
HARMLESS_ALONE = (  # it hurts nobody
    ("draw {o}", "anybody"), ("take a photo of {o}", "anybody"), ("wave to {o}", "person"),
    ("beat {o} at chess", "person"), ("race {o} to the river", "person"),
    ("buy {o}", "thing"), ("clean {o}", "thing"), ("repair {o}", "thing"), ("paint {o}", "thing"),
    ("sell {o}", "thing"), ("borrow {o} from a friend", "thing"), ("look for {o}", "thing"),
    ("build {o}", "house"), ("paint {o}", "house"), ("find {o} on a map", "house"),
    ("clean the windows of {o}", "house"), ("beat an egg", ""), ("break an egg", ""),
    ("hit a nail", ""), ("hit a drum", ""), ("kick a ball", ""), ("throw a ball", ""),
    ("throw a party", ""), ("shoot a goal", ""), ("cut bread", ""), ("cut paper", ""),
    ("chop an onion", ""), ("chop wood", ""), ("crack a nut", ""), ("whip cream", ""),
    ("burn a candle", ""), ("burn dry wood in the stove", ""), ("blow up a balloon", ""),
    ("blow out a candle", ""), ("set the table", ""), ("punch a hole in paper", ""),
    ("push a swing", ""), ("push a button", ""), ("lock the door at night", ""),
    ("pick an apple", ""), ("catch a ball", ""), ("catch a train", ""), ("make tea", ""),
    ("build a kite", ""), ("kill time on a train", ""), ("sew a button", ""),
    ("plant a tree", ""), ("water the flowers", ""), ("peel a potato", ""), ("boil an egg", ""),
    ("fry an egg", ""), ("climb a hill", ""), ("ride a bicycle", ""), ("swim in a lake", ""),
    ("fly a kite", ""), ("count to ten", ""), ("dig a hole", ""), ("fold a letter", ""),
    ("stir soup", ""), ("hang a picture on the wall", ""), ("open a jar", ""), ("run a race", ""),
    ("meet {o} at the station", "person"), ("call {o} on the phone", "person"),
    ("measure {o}", "thing"), ("wrap a gift", ""), ("knit a scarf", ""),
    ("pour a glass of milk", ""), ("sweep the floor", ""), ("iron a shirt", ""),
    ("dry the dishes", ""), ("toast bread", ""), ("mow the grass", ""), ("bounce a ball", ""),
    ("row a boat", ""), ("learn a poem", ""), ("solve a riddle", ""), ("pack a suitcase", ""),
    ("cross the street", ""),
)
HARMLESS = KIND + HARMLESS_ALONE


def named(deed, some_object):
    """The phrase of a deed with an object in it: "push a dog into the river"."""
    return deed[0].format(o=some_object)
