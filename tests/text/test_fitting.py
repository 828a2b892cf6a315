"""What fits is kept in its order, what does not is counted, and none is an error that says how much it needs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minillm.text.fitting import that_fit

examples = st.lists(st.lists(st.integers(0, 12), min_size=1, max_size=3), min_size=1, max_size=9)


def rows_of(sizes):
    return [[0] * size for size in sizes]


@given(examples, examples, st.integers(0, 14), st.integers(0, 3))
def test_an_example_is_kept_if_all_its_rows_leave_room(first, second, context, room):
    wanted = [[sizes for sizes in part if all(size + room <= context for size in sizes)] for part in (first, second)]
    said = []

    def fit():
        return that_fit({"these": first, "those": second}, rows_of, context, said.append, room=room)
    if not all(wanted):
        with pytest.raises(ValueError, match=f"none of .* fits the context of {context} tokens"):
            fit()
        assert said == []
        return
    assert fit() == wanted
    missing = [f"{len(part) - len(kept)} of {len(part)} {what}" for what, part, kept in
               zip(("these", "those"), (first, second), wanted) if len(kept) < len(part)]
    assert len(said) == bool(missing)
    if missing:
        assert said[0].startswith(" and ".join(missing)) and said[0].endswith(f"{context} tokens and were left out")
        assert ("no room for an answer" in said[0]) == bool(room)


@given(examples, st.integers(1, 3))
def test_the_context_that_is_asked_for_is_enough_and_one_less_is_not(part, least):
    least = min(least, len(part))
    context = 0
    for _ in range(2):          # refused once at the most, if one does what the error says
        try:
            assert len(that_fit({"rows": part}, rows_of, context, least=least)[0]) >= least
            break
        except ValueError as error:
            context = int(str(error).rpartition("--model.context ")[2].split()[0])
    else:
        raise AssertionError("it was refused again")
    if context:
        with pytest.raises(ValueError):
            that_fit({"rows": part}, rows_of, context - 1, least=least)


def test_an_example_that_cannot_be_encoded_is_named_by_its_number():
    def encoded(example):
        raise ValueError("character 'x' is not in this vocabulary")
    with pytest.raises(ValueError, match="number 1 of 2 rankings: character 'x'"):
        that_fit({"rankings": ["a", "b"]}, encoded, 9)
