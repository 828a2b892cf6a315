"""The diagram that comes back in every lesson, and the glossary."""

import importlib
import re
import sys
from pathlib import Path

LESSONS = Path(__file__).resolve().parents[2] / "lessons"
sys.path.insert(0, str(LESSONS / "diagram"))

draw = importlib.import_module("draw")


def test_the_diagram_is_as_its_script_draws_it():
    assert draw.main(["--check"]) == 0
    assert sorted(draw.LIT) == [f"{n:02}" for n in range(23)]
    assert {name for names in draw.LIT.values() for name in names} == set(draw.BOXES)


def test_terms_that_lessons_link_are_in_the_glossary():
    text = (LESSONS / "glossary.md").read_text(encoding="utf-8")
    titles = re.findall(r"^### (.+)$", text, re.MULTILINE)
    assert titles == sorted(titles, key=str.lower)
    anchors = {re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in titles}
    anchors |= set(re.findall(r'<a id="([^"]+)">', text))
    missing = {(path.name, term) for path in LESSONS.glob("*.md")
               for term in re.findall(r"glossary\.md#([^)]+)\)", path.read_text(encoding="utf-8")) if term not in anchors}
    assert not missing
