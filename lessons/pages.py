"""Write the lessons as static pages: the text at the left, the source that it speaks of at the right.

    python lessons/pages.py [--out build/site]

Works from disk and without a network. Markdown, highlighting and mathematics (MathML, with a font for it) are done by
libraries: pip install -e '.[site]'. The things to move are in moving.py, which trains a small model for them.
"""

import argparse
import html
import importlib.util
import re
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

LESSONS = Path(__file__).resolve().parent
sys.path.insert(0, str(LESSONS))

import refresh  # noqa: E402  (beside this file)

NEEDS = ("markdown_it", "mdit_py_plugins", "pygments", "latex2mathml", "ziamath", "font_source_serif_pro")
FONTS = ("ziamath/fonts/STIXTwoMath-Regular.ttf", "font_source_serif_pro/files/SourceSerifPro-Regular.ttf",
         "font_source_serif_pro/files/SourceSerifPro-It.ttf", "font_source_serif_pro/files/SourceSerifPro-Semibold.ttf")
LABELS = {"output": "prints", "results": "measured", "python run": "try it"}
# Where a formula may go on in the next line: at a wide space; in a long part, before a relation; in a long piece, before a sum.
WIDE = re.compile(r"(?:\\q?quad(?![a-zA-Z])\s*)+")        # several in a row are one place
RELATION = re.compile(r"\\(?:le|ge|approx|propto|equiv|to)(?![a-zA-Z])|=")
SUM = re.compile(r"(?<=[^=\s({])\s*[+-](?=\s)")
LONG, SHORT = 40, 25        # characters
SIGN = re.compile(r"^(<math[^>]*><mrow>)<mo>(?=(?:\+|&#x0002B;|&#x02212;)<)")           # it keeps the space around it
FUNCTION = re.compile(r"(?<!<msub>)(?<!<msup>)(?<!<munder>)(<mi>(?:log|ln|exp|cos|sin|max|min)</mi>)(?=<m)")
NESTED = re.compile(r"\\left(?![a-z])|\\right(?![a-z])|\\begin|\\end|\\[{}]|\\[a-zA-Z]+|[{}()\[\]]")


class Lesson(NamedTuple):
    """A lesson's text and what the index says of it."""
    name: str           # 06_attention
    title: str          # 06. Attention
    question: str
    minutes: str
    text: str


def read_lesson(path):
    """One lesson's text with its title, question and reading time."""
    text = path.read_text(encoding="utf-8")
    asked = re.search(r"^\*(.+?)\*\s*(?:(\d+) minutes)?", text, re.MULTILINE | re.DOTALL)
    return Lesson(path.stem, text.splitlines()[0].lstrip("# "), " ".join(asked[1].split()) if asked else "",
                  (asked[2] or "") if asked else "", text)


def require_packages():
    """Raises:  ValueError that names the command, if a package of the site is missing."""
    missing = [name for name in NEEDS if importlib.util.find_spec(name) is None]
    if missing:
        raise ValueError(f"the site needs {', '.join(missing)}; run: pip install -e '.[site]'")


# Formulas ------------------------------------------------------------------------------------------------------------

def pieces(formula):
    """A formula cut where a line may end, and no bracket is open: the coarsest places first."""
    parts = [formula]
    for where in (WIDE, RELATION, SUM):
        parts = [piece for part in parts for piece in
                 (cut(part, where) if where is WIDE or len(WIDE.sub("", part)) > LONG else [part])]
    return parts


def cut(formula, where):
    """A formula cut before each match that no bracket holds."""
    cuts, depth, wanted = [0], 0, {match.start() for match in where.finditer(formula)}
    nested = {match.start(): match[0] for match in NESTED.finditer(formula)}
    for place in range(len(formula)):
        token = nested.get(place, "")
        depth += (token in ("\\left", "\\begin", "{", "(", "[")) - (token in ("\\right", "\\end", "}", ")", "]"))
        short = where is RELATION and len(cuts) == 1 and place < SHORT      # the left side stays with its relation
        if place in wanted and depth == 0 and formula[cuts[-1]:place].strip() and not short:
            cuts.append(place)
    return [formula[a:b].strip() for a, b in zip(cuts, [*cuts[1:], len(formula)])]


def as_mathml(piece):
    """One piece of a formula; a wide space before it becomes a margin."""
    from latex2mathml.converter import convert

    bare = WIDE.sub("", piece, count=1).strip() if WIDE.match(piece) else piece
    written = convert(bare)
    if bare != piece:
        written = written.replace("<math ", '<math class="apart" ', 1)
    return written


def mathematics(formula, display):
    """A formula as MathML: one element a piece, so that it wraps on a narrow page."""
    parts = pieces(formula) if display or len(formula) > LONG else [formula]
    first, *others = map(as_mathml, parts)
    written = " ".join([first, *(SIGN.sub(r'\1<mo form="infix">', other) for other in others)])
    if display:
        written = written.replace('display="inline"', 'display="inline" displaystyle="true"')
    written = re.sub(r"(<mo>(?:=|&#x0003D;)</mo>)<mo>(&#x02212;|\u2212)</mo>", r'\1<mo form="prefix">\2</mo>', written)
    return FUNCTION.sub(r'<mspace width="0.17em"/>\1<mspace width="0.17em"/>', written)     # log p, not logp


# Code ----------------------------------------------------------------------------------------------------------------

def highlighted(code, language, lines=False):
    """Code as HTML; with lines, each is an element of its own."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name

    formatter = HtmlFormatter(cssclass="code", linespans="line" if lines else "")
    return highlight(code, get_lexer_by_name(language), formatter)


def sources_of(text):
    """{file:symbol: (first line, last line)} of a lesson's included sources."""
    found = {}
    for file, symbol in refresh.SOURCE.findall(text):
        body = refresh.source_of(file, symbol).splitlines()
        lines = [line.strip() for line in (refresh.ROOT / file).read_text(encoding="utf-8").splitlines()]
        wanted = [line.strip() for line in body]
        first = next(n for n in range(len(lines)) if lines[n:n + len(wanted)] == wanted)
        found[f"{file}:{symbol}"] = (first + 1, first + len(wanted))
    return found


def pane(file, told):
    """A whole source file; each symbol of `told` {symbol: (first, last)} is an element, to be lit as one."""
    code = highlighted((refresh.ROOT / file).read_text(encoding="utf-8"), "python", lines=True)
    for symbol, (first, last) in sorted(told.items(), key=lambda item: item[1][0] - item[1][1]):     # the widest first
        code = code.replace(f'<span id="line-{first}">', f'<span class="told" id="{file}:{symbol}"><span id="line-{first}">', 1)
        start = code.index(f'<span id="line-{last}">')
        following = code.find(f'<span id="line-{last + 1}">', start)
        end = following if following >= 0 else code.index("</pre>", start)
        opened = code.rfind('<span class="told"', start, end)                # of a symbol that begins right below
        end = opened if opened >= 0 else end
        code = f"{code[:end]}</span>{code[end:]}"
    links = " ".join(f'<a href="#{file}:{symbol}">{symbol}</a>' for symbol in told)
    code = re.sub(' id="line-[0-9]+"', "", code)
    return f'<section class="pane" data-file="{file}"><h2>{file}<span>{links}</span></h2>{code}</section>'


def columns_of(text, is_log):
    """For how many letters a block's lines have room; longer ones wrap.

    A row of a table must not wrap, so what a run printed has room for its rows of up to 120 letters; its sentences wrap.
    """
    lines = text.splitlines()
    if is_log:
        return max([60, *(len(line) for line in lines if len(line) <= 120 and "  " in line.strip())])
    return min(100, max([60, *map(len, lines)]))


def fence(self, tokens, index, options, env):
    """A block of code: an included source, or what a snippet is and prints."""
    token = tokens[index]
    info = re.sub(r" tol=\S+", "", token.info.strip())
    name, _, source = info.partition(" source=")
    code = highlighted(token.content, "python" if name.startswith("python") else "text", lines=True)
    code = re.sub(' id="line-[0-9]+"', ' class="line"', code)
    columns = f'style="--columns:{columns_of(token.content, name.startswith("text log="))}"'
    if source:
        file, symbol = source.split(":")
        return (f'<figure class="source" data-source="{source}" {columns}><figcaption><a href="#{source}">{symbol}</a> '
                f'<span>{file}, line {env["lines"][source][0]}</span></figcaption>{code}</figure>')
    label = f"<small>{LABELS[info]}</small>" if info in LABELS else ""
    return f'<div class="block {name.split()[0] if name else ""}" {columns}>{label}{code}</div>'


def renderer():
    """(a Markdown renderer with highlighting and MathML, the style sheet of the highlighting)."""
    from markdown_it import MarkdownIt
    from mdit_py_plugins.anchors import anchors_plugin
    from mdit_py_plugins.dollarmath import dollarmath_plugin
    from pygments.formatters import HtmlFormatter

    markdown = MarkdownIt("commonmark", {"html": True}).enable("table")
    markdown.use(anchors_plugin, max_level=3)
    markdown.use(dollarmath_plugin, renderer=lambda content, options: mathematics(content, options["display_mode"]))
    markdown.add_render_rule("fence", fence)
    light = HtmlFormatter(style="friendly").get_style_defs(".code")
    dark = HtmlFormatter(style="github-dark")
    system = dark.get_style_defs(":root:not([data-theme=light]) .code")
    return markdown, (f"{light}\n@media screen and (prefers-color-scheme: dark) {{\n{system}\n}}\n"
                      f"{dark.get_style_defs(':root[data-theme=dark] .code')}")


# Pages ---------------------------------------------------------------------------------------------------------------

def rendered(markdown, text, env):
    """Markdown as the HTML of a page: links to pages, the diagram in place, tables that a narrow page can stack."""
    body = re.sub(r'(href="[0-9a-zA-Z_]+)\.md', r"\1.html", markdown.render(text, env)).replace('"README.html', '"index.html')
    body = re.sub(r'<p><img src="diagram/(\d\d)\.svg"[^>]*></p>', lambda found: diagram(found[1]), body)
    body = re.sub(r'<p>(<img src="pictures/[^>]*>)</p>', r'<figure class="picture">\1</figure>', body)
    return re.sub(r"<table>.*?</table>", lambda found: labelled(found[0]), body, flags=re.DOTALL)


def diagram(number):
    """The diagram of the model, as part of the page, so that it takes the page's colours."""
    path = LESSONS / "diagram" / f"{number}.svg"
    drawing = re.sub(r"<style>.*?</style>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return f'<figure class="whole">{drawing}</figure>'


def labelled(table):
    """A table whose cells know their column: with more than 3 a narrow page, with more than 5 any page shows each row as a card."""
    columns = [re.sub("<[^>]+>", "", column) for column in re.findall(r"<th[^>]*>(.*?)</th>", table, re.DOTALL)]

    def row(found):
        labels = iter(columns)
        return re.sub(r"<td", lambda _: f'<td data-label="{next(labels, "")}"', found[0])
    table = re.sub(r"<tr>.*?</tr>", row, table, flags=re.DOTALL)
    return f'<div class="table{" many" * (len(columns) > 3)}{" wide" * (len(columns) > 5)}">{table}</div>'


def contents(body):
    """Links to the sections of a page."""
    found = re.findall(r'<h2 id="([^"]+)">(.*?)</h2>', body, re.DOTALL)
    links = "".join(f'<li><a href="#{anchor}">{re.sub("<[^>]+>", "", title)}</a></li>' for anchor, title in found)
    return f'<nav class="contents" id="contents" aria-label="Contents"><ol>{links}</ol></nav>' if found else ""


def with_widgets(body, widgets):
    """A lesson's things to move, before what its script does (or else its exercises)."""
    if not widgets:
        return body
    moving = f'<h2 id="move-it">Move it</h2>{"".join(widgets)}'
    for heading in ("run-it", "exercises", "break-it"):
        if f'<h2 id="{heading}">' in body:
            return body.replace(f'<h2 id="{heading}">', f'{moving}<h2 id="{heading}">', 1)
    return body + moving


def link(lesson, kind):
    """A link to the lesson before or after, with its title; an empty place where there is none."""
    if lesson is None:
        return f'<span class="{kind}"></span>'
    rel, words = {"back": ("prev", "Back"), "next": ("next", "Next")}[kind]
    return (f'<a class="{kind}" rel="{rel}" href="{lesson.name}.html"><small>{words}</small>'
            f"{html.escape(lesson.title)}</a>")


def page(lesson, before, after, markdown, style, widgets=()):
    """One lesson as HTML; before and after are the lessons beside it, or None."""
    lines = sources_of(lesson.text)
    body = with_widgets(rendered(markdown, lesson.text, {"lines": lines}), widgets)
    title, rest = body.split("</h1>", 1)
    told = {}
    for key, span in lines.items():
        file, symbol = key.split(":")
        told.setdefault(file, {})[symbol] = span
    panes = "".join(pane(file, symbols) for file, symbols in told.items())
    around = link(before, "back") + link(after, "next")
    body = f'{title}</h1>{contents(body)}{rest}<nav class="around">{around}</nav>'
    return shell(lesson.title, body, panes, style, around, lesson.name[:2])


def card(lesson):
    """A lesson in the index: its picture, its title, its question."""
    pictures = [path.name for path in sorted((LESSONS / "pictures").glob(f"{lesson.name[:2]}_*.png"))]
    named = [name for name in re.findall(r"\(pictures/([^)]+)\)", lesson.text) if name in pictures]
    source = f"pictures/{(named or pictures)[0]}" if pictures else f"diagram/{lesson.name[:2]}.svg"
    minutes = f" <small>{lesson.minutes} minutes</small>" if lesson.minutes else ""
    return (f'<li><a class="card" href="{lesson.name}.html" data-lesson="{lesson.name[:2]}"><img src="{source}" alt="">'
            f"<b>{html.escape(lesson.title)}</b><i>{html.escape(lesson.question)}</i>{minutes}</a></li>")


def index(lessons, markdown, style):
    """The first page: README.md, with a card for each lesson in place of its table of lessons."""
    body = rendered(markdown, (LESSONS / "README.md").read_text(encoding="utf-8"), {"lines": {}})
    cards = f'<ol class="cards">{"".join(map(card, lessons))}</ol>'
    body = re.sub(r'(<h2 id="the-path">.*?</h2>.*?)<div class="table">.*?</div>', lambda found: found[1] + cards, body, count=1,
                  flags=re.DOTALL)
    title, rest = body.split("</h1>", 1)
    return shell("minillm: the lessons", f"{title}</h1>{contents(body)}{rest}", "", style, "", "")


def beside(name, title, markdown, style):
    """A text beside the lessons as a page: the glossary, the table of claims."""
    body = rendered(markdown, (LESSONS / f"{name}.md").read_text(encoding="utf-8"), {"lines": {}})
    return shell(title, f'<div class="{name}" id="contents">{body}</div>', "", style, "", "")


def shell(title, body, panes, style, links, number):
    """The page around a text and its sources."""
    template = (LESSONS / "site" / "page.html").read_text(encoding="utf-8")
    for key, value in (("TITLE", html.escape(title)), ("CODE", style), ("NUMBER", number), ("LINKS", links),
                       ("BODY", body), ("PANES", panes), ("ALONE", "" if panes else " alone")):
        template = template.replace(f"<!-- {key} -->", value)
    return template


def write_site(out, size="default"):
    """Write all pages, pictures and fonts into a folder.  Returns the path of the index.

    size: of the model that the things to move are computed with, "default" or "smoke".
    Raises:  ValueError if a package that the site needs is missing.
    """
    require_packages()
    import moving

    markdown, style = renderer()
    out.mkdir(parents=True, exist_ok=True)
    lessons = [read_lesson(path) for path in sorted(LESSONS.glob("[0-9][0-9]_*.md"))]
    widgets = moving.widgets(size)
    for before, lesson, after in zip([None, *lessons], lessons, [*lessons[1:], None]):
        text = page(lesson, before, after, markdown, style, widgets.get(lesson.name[:2], ()))
        (out / f"{lesson.name}.html").write_text(text, encoding="utf-8")
    (out / "index.html").write_text(index(lessons, markdown, style), encoding="utf-8")
    for name, title in (("glossary", "Glossary"), ("CLAIMS", "The claims")):
        (out / f"{name}.html").write_text(beside(name, title, markdown, style), encoding="utf-8")
    not_shown = shutil.ignore_patterns("*.py", "*.html", "__*")
    for folder in ("pictures", "diagram", "site"):
        shutil.copytree(LESSONS / folder, out / folder, dirs_exist_ok=True, ignore=not_shown)
    (out / "site" / "fonts").mkdir(exist_ok=True)
    for font in FONTS:
        package, _, rest = font.partition("/")
        shutil.copy(Path(importlib.util.find_spec(package).origin).parent / rest, out / "site" / "fonts")
    return out / "index.html"


def main(argv=None):
    """Write the site."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default="build/site", metavar="DIR", help="where to (build/site)")
    args = parser.parse_args(argv)
    try:
        print(write_site(Path(args.out)))
    except ValueError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
