"""The pages of the lessons, where the libraries that render them are installed; what they do, where there is a Chromium."""

import html
import importlib
import json
import re
import sys
from pathlib import Path

import pytest

from minillm.cli import main

ROOT = Path(__file__).resolve().parents[2]
LESSONS = ROOT / "lessons"
for package in ("markdown_it", "mdit_py_plugins", "pygments", "latex2mathml", "ziamath", "font_source_serif_pro"):
    pytest.importorskip(package)
sys.path[:0] = [str(LESSONS), str(Path(__file__).parent)]

browser, moving, pages = map(importlib.import_module, ("browser", "moving", "pages"))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """All pages, with the things to move of a model that has hardly begun."""
    out = tmp_path_factory.mktemp("site")
    pages.write_site(out, "smoke")
    return out


@pytest.fixture(scope="module")
def written(site):
    """{name: HTML} of the lessons' pages."""
    return {path.stem: path.read_text(encoding="utf-8") for path in site.glob("[0-9]*.html")}


def test_the_verb_writes_the_index(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(moving, "widgets", lambda size: {})
    assert main(["site", "--out", str(tmp_path / "pages")]) == 0
    assert capsys.readouterr().out.strip().endswith("index.html") and (tmp_path / "pages" / "index.html").is_file()


def test_without_the_packages_the_verb_names_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr(pages, "NEEDS", ("markdown_it", "no_such_package"))
    with pytest.raises(ValueError, match=r"needs no_such_package; run: pip install -e '\.\[site\]'"):
        pages.write_site(tmp_path)


def test_every_lesson_becomes_a_page(written):
    assert len(written) == len(list(LESSONS.glob("[0-9][0-9]_*.md")))
    assert "<math" in written["03_next_token"]
    for name, page in written.items():
        assert "<!-- " not in re.sub(r"<!-- after.*?-->", "", page.split("<body")[0].split("<main>")[0]), name
        assert not re.search(r'href="[0-9a-z_]+\.md', page), name
        assert not re.search(r'<(?:script|img|link)[^>]*(?:src|href)="(?:https?:)?//', page), name       # works from disk


def test_whole_functions_are_marked_in_the_source(written):
    for name, page in written.items():
        for source in re.findall(r'<figure class="source" data-source="([^"]+)"', page):
            file, symbol = source.split(":")
            found = page.index(f'<span class="told" id="{source}">')
            body = page[found:]
            depth, end = 0, 0
            for mark in re.finditer(r"<(/?)span", body):
                depth += -1 if mark[1] else 1
                if depth == 0:
                    end = mark.start()
                    break
            lines = re.sub(r"<[^>]+>", "", body[:end]).strip("\n").splitlines()
            wanted = pages.refresh.source_of(file, symbol).splitlines()
            assert len(lines) == len(wanted), (name, source)
            assert [line.split() for line in map(html.unescape, lines)] == [line.split() for line in wanted], (name, source)


def test_files_that_a_page_names_are_there(site, written):
    for name, page in {**written, **{stem: (site / f"{stem}.html").read_text() for stem in ("index", "glossary", "CLAIMS")}}.items():
        for file in re.findall(r'(?:src|href)="([^":#]+)"', page):
            assert (site / file).is_file(), (name, file)
        for file, anchor in re.findall(r'href="([0-9a-z_]*\.html)?#([^":]+)"', page):
            target = (site / file).read_text(encoding="utf-8") if file else page
            assert f'id="{anchor}"' in target, (name, file, anchor)


def test_the_index_has_a_line_and_a_picture_a_lesson(site):
    index = (site / "index.html").read_text(encoding="utf-8")
    cards = re.findall(r'<a class="card".*?</a>', index, re.DOTALL)
    assert len(cards) == len(list(LESSONS.glob("[0-9][0-9]_*.md")))
    assert all("<img" in card and re.search(r"<i>.+\?</i>", card) for card in cards)


@pytest.mark.parametrize("formula, wanted", [
    (r"a = b", ["a = b"]),
    (r"a = b \qquad\qquad c = d", ["a = b", r"\qquad\qquad c = d"]),
    (r"a = b, \qquad \partial \ell / \partial A = e^\top x", ["a = b,", r"\qquad \partial \ell / \partial A = e^\top x"]),
    (r"\frac{a = b}{c} \le d, \qquad e = f", [r"\frac{a = b}{c} \le d,", r"\qquad e = f"]),
    (r"Z = \frac{aaaaaaaaaaaaaaaaaaaaa}{bbbbbbbbbbbbbbbbbbbbbbb} = c",
     [r"Z = \frac{aaaaaaaaaaaaaaaaaaaaa}{bbbbbbbbbbbbbbbbbbbbbbb}", "= c"]),
    (r"\left( xxxxxxxxxxxxxxxxxxx = yyyyyyyyyyyyyyyyyyyy \right) = z",
     [r"\left( xxxxxxxxxxxxxxxxxxx = yyyyyyyyyyyyyyyyyyyy \right)", "= z"]),
    (r"\left[ xxxxxxxxxxxxxxx, yyyyyyyyyyyyyyyyyyy \right) = z", [r"\left[ xxxxxxxxxxxxxxx, yyyyyyyyyyyyyyyyyyy \right)", "= z"]),
    (r"\begin{cases} a = b & xxxxxxxxxxxxxxxxxxxxxxxxx \end{cases}",
     [r"\begin{cases} a = b & xxxxxxxxxxxxxxxxxxxxxxxxx \end{cases}"]),
    (r"= -\delta_{t} + \delta_{t + 1} + \lambda (\delta_{t} + \delta_{t + 2})",
     [r"= -\delta_{t}", r"+ \delta_{t + 1}", r"+ \lambda (\delta_{t} + \delta_{t + 2})"])])
def test_a_formula_is_cut_only_where_no_bracket_is_open(formula, wanted):
    assert pages.pieces(formula) == wanted


@pytest.mark.parametrize("text, is_log, wanted", [
    ("a\n", False, 60), ("a" * 81 + "\nb\n", False, 81), ("a" * 130, False, 100),
    ("  row  " + "1" * 104, True, 111), ("  row  " + "1" * 114 + "\n  b  2", True, 60), ("  one " * 14, True, 84),
    ("  of all attention " + "a" * 90, True, 60), ("", True, 60)])
def test_a_row_of_a_printed_table_has_room_and_its_sentences_wrap(text, is_log, wanted):
    assert pages.columns_of(text, is_log) == wanted


@pytest.mark.parametrize("columns, wanted", [(3, "table"), (4, "table many"), (5, "table many"), (6, "table many wide")])
def test_a_table_of_many_columns_is_shown_as_cards(columns, wanted):
    table = f"<table><thead><tr>{'<th>a</th>' * columns}</tr></thead><tbody><tr>{'<td>1</td>' * columns}</tr></tbody></table>"
    assert pages.labelled(table).startswith(f'<div class="{wanted}">')
    assert pages.labelled(table).count('<td data-label="a">') == columns


def test_no_formula_is_torn_and_an_answer_names_its_guess(written):
    for name, page in written.items():
        text = re.sub(r"<(pre|code|script|style|aside)\b.*?</\1>", "", page, flags=re.DOTALL)
        assert "$" not in text, (name, text[max(0, text.index("$") - 60):text.index("$") + 60])
        for answer in re.findall(r"<summary>The answer to the guess</summary>(.*?)</details>", text, re.DOTALL):
            assert re.search(r"Guess \d", answer), f"{name}: the answer names no guess by its number"


# What moves ----------------------------------------------------------------------------------------------------------

def test_the_frontier_is_not_passed():
    probs, reward = moving.np.array([0.6, 0.3, 0.1]), moving.np.array([1.0, 2.0, 4.0])
    for n in (1, 2, 5):
        best = moving.best_of(probs, reward, n)
        kl, mean = moving.spot(best, probs, reward)
        assert abs(best.sum() - 1) < 1e-12
        for beta in (0.3, 1.0, 3.0):
            kl_tilted, mean_tilted = moving.spot(moving.tilt(probs, reward, beta), probs, reward)
            assert mean_tilted - beta * kl_tilted >= mean - beta * kl - 1e-12
    assert moving.np.allclose(moving.best_of(probs, reward, 2), [0.36, 0.45, 0.19])


def test_the_data_stand_in_the_pages(written):
    found = {(name[:2], kind, text) for name, page in written.items() for kind, text in
             re.findall(r'data-widget="(\w+)".*?<script type="application/json">(.*?)</script>', page, re.DOTALL)}
    for number, kind, text in found:
        assert json.loads(text), (number, kind)
    kinds = {kind for _, kind, _ in found}
    always = {"steps", "attention", "sampling", "frontier"}
    assert always <= kinds <= {*always, "lens", "rotation"}
    weights = moving.np.array(next(json.loads(text)["weights"] for _, kind, text in found if kind == "attention"))
    assert moving.np.allclose(weights.sum(axis=-1), 1, atol=0.02)


@pytest.mark.skipif(browser.CHROMIUM is None, reason="needs Chromium")
def test_in_a_browser_nothing_is_cut_and_everything_moves(site):
    for report in browser.reports(site):
        where = report["page"], report["width"]
        assert not report["wrong"], where
        assert not report["out"], where
        assert report["width"] < 1300 or min(report["columns"], default=100) >= 100, where     # of the source beside the text
        assert not report["still"], where
        assert not report["lost"], where        # text and source follow each other
        assert report["lit"] == 1 or not report["sources"] or report["width"] < 1300, where
