"""Items of the kinds that ask for one fact, and a check for answers that name more than it."""

from minillm.world.documents.phrases import ANSWERING, TOPICS, fields
from minillm.world.facts import HELD_OUT_SHARE, Person, a_an, capitalized, he, him, plural
from minillm.world.kinds.kind import Item, others, right_texts
from minillm.world.likeness import resembles, says, words


def fact_items(topic, rows, forms, say=str):
    """Items that ask for one fact of each entity; the first quarter of them is held out.

    The forms are sentences that tell the fact, with the slots of `_slots` and {y} for say(answer).
    The first form is the full right answer. The others are accepted too, and so are the sentences
    in which the documents tell the fact. The wrong answers of an entity are those of the others.

    Args:    topic, a key of TOPICS; rows, of (entity, name, answer).
    """
    answers = [answer for _, _, answer in rows]
    called = {name: (name, _other_form(name)) for _, name, _ in rows}
    tellings = TOPICS[topic].tellings[:ANSWERING.get(topic)]
    items = []
    for number, (entity, name, answer) in enumerate(rows):
        slots = _slots(entity, name)

        def told(form, answer):
            return capitalized(form.format_map(slots | {"y": say(answer)}))
        true = dict.fromkeys(told(form, answer) for form in (*forms, *tellings))
        wrong = tuple(w for w in others(answers, answer) if w != name)
        rivals = tuple(form for other, names in called.items() if other != name for form in names)
        items.append(Item(slots, answer, next(iter(true)), wrong,
                          tuple(told(forms[0], w) for w in wrong),
                          number < HELD_OUT_SHARE * len(rows), tuple(true)[1:], rivals))
    return items


def rows_of(table, field):
    """The rows (entity, name, answer) of a table of records, for one of their fields."""
    return [(entity, entity.name, getattr(entity, field)) for entity in table]


def _slots(entity, name):
    """The words of the documents (`fields`), {n} the name, {x} the name with its article; {he}."""
    slots = fields(entity) | {"n": name, "x": a_an(name), "X": capitalized(a_an(name))}
    if isinstance(entity, Person):
        slots |= {"he": he(entity), "him": him(entity), "He": capitalized(he(entity))}
    return slots


def _other_form(name):
    """The form other than the name itself in which a sentence speaks of somebody or something."""
    return f"{name}'s" if name[0].isupper() else plural(name)


def third_person(verb):
    """The form of a verb that follows "it": "moos", "buzzes", "dries", "flies away"."""
    verb, *rest = verb.split(" ", 1)
    if verb.endswith("y") and verb[-2] not in "aeiou":
        verb = verb[:-1] + "ies"
    else:
        verb += "es" if verb.endswith(("s", "x", "z", "ch", "sh")) else "s"
    return " ".join([verb, *rest])


def besides(response, forms):
    """The words of a response (as `words` returns them) without the right sentences in it."""
    text = words(response)
    for form in sorted(map(words, forms), key=len, reverse=True):
        while form in text:
            text = text.replace(form, " ")
    return text


def tells(request, response, answers, wrong=(), forms=()):
    """Whether a response gives one of these answers, and nothing wrong besides right sentences.

    Wrong are the request's wrong answers and those in `wrong`; right sentences are the request's
    and `forms`. This is for kinds whose right sentences may contain what is a wrong answer by
    itself: "Ben is taller than Anna." tells that Ben is taller, and names Anna.
    """
    forms = (*right_texts(request), *forms)
    text, rest, asked = words(response), besides(response, forms), words(request.question)
    rivals = (rival for rival in request.rivals if not says(asked, rival))
    strange = (*request.wrong, *wrong, *rivals)
    echo = asked in text and not any(asked in words(form) for form in forms)
    return (any(says(text, answer) for answer in answers) and resembles(response, forms)
            and not echo and not any(says(rest, phrase) for phrase in strange))
