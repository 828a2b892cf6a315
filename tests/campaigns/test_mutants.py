"""What the campaign promises of its list: the same each time, real mutants alone, none rotten."""

import ast

import listing
import mutants
import pytest

LIST = listing.all_mutants(count=165, seed=0)
SOURCES = listing.sources_in_scope()


def test_the_list_is_the_same_each_time_and_another_with_another_seed():
    assert listing.all_mutants(count=165, seed=0) == LIST
    assert listing.all_mutants(count=165, seed=1) != LIST
    assert 200 <= len(LIST) <= 260 and len({m.key for m in LIST}) == len(LIST)


def test_a_smaller_campaign_is_part_of_a_larger():
    assert {m.key for m in listing.all_mutants(count=40, seed=0)} <= {m.key for m in LIST}


def test_every_file_in_scope_has_mutants_and_tests_of_its_own():
    assert {m.file for m in LIST} == set(SOURCES)
    for file in SOURCES:
        own = mutants.stages(file)[0][1]
        assert own[0].startswith("tests/"), f"no tests are named for {file}"


def test_every_mutant_compiles_into_something_else():
    for m in LIST:
        assert listing.is_mutant(m, SOURCES[m.file]), m.key


def test_a_mutant_changes_the_lines_that_it_shows():
    for m in LIST:
        before, after = SOURCES[m.file].splitlines(), m.text.splitlines()
        changed = next(i for i, pair in enumerate(zip(before, after)) if pair[0] != pair[1])
        assert abs(changed + 1 - m.line) <= 1 and m.old != m.new
        assert " ".join(before[m.line - 1].split()) in m.old


def words(source):
    """What no mutant may change: docstrings, annotations, f-strings, and all that is raised."""
    kept = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Raise, ast.JoinedStr)):
            kept.add(ast.unparse(node))
        elif isinstance(node, ast.AnnAssign):
            kept.add(ast.unparse(node.annotation))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            kept.add(node.value)
    return kept


def test_nothing_is_changed_in_docstrings_annotations_and_messages():
    for m in LIST:
        if m.operator in ("wiring", "call deleted", "keyword dropped"):
            continue                        # what is left out takes its own texts with it
        lost = words(SOURCES[m.file]) - words(m.text)
        # A condition that is always true or false takes no more with it than a name.
        assert not [text for text in lost if len(text) > 40 or "{" in text], (m.key, lost)


def test_known_changes_are_found():
    source = '''
def f(x, y: int = 3, *, axis=0):
    """A docstring with 1 < 2 and 3 + 4."""
    if x < y and not x == 0:
        raise ValueError(f"{x + 1} is not {y - 1}", x + 2)
    log(x)
    return np.zeros(x[1:, -1]).sum(axis=1, keepdims=True), -x * 2
'''
    every = [listing.edited("f.py", source, *change) for change in listing.changes(source)]
    found = {(m.operator, m.new) for m in every}
    line = "return np.zeros(x[1:, -1]).sum(axis=1, keepdims=True), -x * 2"
    for operator, new in [
            ("comparison", "if x <= y and not x == 0:"), ("comparison", "if x < y and not x != 0:"),
            ("and-or", "if x < y or not x == 0:"), ("not dropped", "if x < y and x == 0:"),
            ("condition", "if True:"), ("condition", "if False:"),
            ("constant", "if x < y and not x == 1:"),
            ("call deleted", "pass"), ("default dropped", "def f(x, y: int, *, axis=0):"),
            ("default dropped", "def f(x, y: int = 3, *, axis):"),
            ("function", line.replace("zeros", "ones")), ("bound", line.replace("1:,", "2:,")),
            ("bound", line.replace("-1]", "0]")), ("axis", line.replace("axis=1", "axis=0")),
            ("keyword dropped", line.replace("axis=1, ", "")),
            ("keyword dropped", line.replace(", keepdims=True", "")),
            ("plus-minus", line.replace("-x", "x")), ("times-divide", line.replace("*", "/")),
            ("return", line.replace("return ", "return 0 * (").replace(", -x", "), -x"))]:
        assert (operator, new) in found, (operator, new)
    assert not any("docstring" in new or "raise" in new for _, new in found)


def test_a_rotten_entry_of_wiring_is_an_error(monkeypatch):
    for text in ("no such text", "import"):                 # not there; there more than once
        entry = ("minillm/losses/policy.py", text, "", "a mistake")
        monkeypatch.setattr(listing, "WIRING", [entry])
        with pytest.raises(ValueError, match="it must be once"):
            listing.by_hand(SOURCES)


def test_a_reason_belongs_to_lines_that_are_there():
    lines = {file: " ".join(source.split()) for file, source in SOURCES.items()}
    for key in mutants.read_reasons():
        file, _, old, _ = key.split(" | ", 3)
        assert old in lines[file], f"survivors.json: {old!r} is no longer in {file}"


def test_the_report_counts_and_gives_reasons():
    some = LIST[:3]
    verdicts = {m.key: {"killed": m is not some[0]} for m in some}
    page = mutants.report(some, verdicts, {}, "the command")
    assert "| all | 2 | 3 | 0.67 |" in page and "1 survived, 1 of them without a reason." in page
    assert some[0].new in page and some[1].new not in page
    reasons = {some[0].key: "it is no matter"}
    assert "it is no matter" in mutants.report(some, verdicts, reasons, "the command")
