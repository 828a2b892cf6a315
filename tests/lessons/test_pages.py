"""The pages of the lessons, where the libraries that render them are installed."""

import importlib
import re
from pathlib import Path

import pytest

from minillm.cli import main

ROOT = Path(__file__).resolve().parents[2]
for package in ("markdown_it", "mdit_py_plugins", "pygments", "latex2mathml"):
    pytest.importorskip(package)


def test_the_verb_writes_the_index(tmp_path, capsys):
    assert main(["site", "--out", str(tmp_path / "pages")]) == 0
    assert capsys.readouterr().out.strip().endswith("index.html") and (tmp_path / "pages" / "index.html").is_file()


def test_every_lesson_becomes_a_page_with_its_sources_and_mathematics(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "lessons"))
    importlib.import_module("pages").write_site(tmp_path)
    pages = {path.stem: path.read_text(encoding="utf-8") for path in tmp_path.glob("[0-9]*.html")}
    assert len(pages) == 17
    assert "<math" in pages["03_next_token"] and 'data-file="minillm/losses/next_token.py"' in pages["03_next_token"]
    for name, page in pages.items():
        anchors = re.findall(r'<figure class="source" data-file="([^"]+)" data-line="(\d+)"', page)
        for file, line in anchors:
            assert f'id="{file}-{line}"' in page, (name, file, line)
        for picture in re.findall(r'src="(pictures/[^"]+)"', page):
            assert (tmp_path / picture).is_file(), (name, picture)
        assert not re.search(r'href="[0-9a-z_]+\.md"', page) and "<!-- BODY -->" not in page
        assert not re.search(r'(src|href)="https?:', page)          # works from disk
