"""Write the lessons as static pages: the text at the left, the source that it speaks of at the right.

    python lessons/pages.py [--out build/site]

Works from disk and without a network. Markdown, highlighting and mathematics are done by libraries: pip install -e '.[site]'
"""

import argparse
import html
import re
import shutil
import sys
from pathlib import Path

LESSONS = Path(__file__).resolve().parent
sys.path.insert(0, str(LESSONS))

import refresh  # noqa: E402  (beside this file)


def renderer():
    """(a Markdown renderer with highlighting and MathML, the style sheet of the highlighting)."""
    from latex2mathml.converter import convert
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin
    from pygments.formatters import HtmlFormatter

    def fence(self, tokens, index, options, env):
        token = tokens[index]
        name, _, source = token.info.strip().partition(" source=")
        code = highlighted(token.content, "python" if name.startswith("python") else "text")
        if source:
            file, symbol = source.split(":")
            anchor = f"{file}:{symbol}"
            return (f'<figure class="source" data-file="{file}" data-line="{env["lines"][anchor]}"><figcaption>'
                    f'<a href="#">{file}</a> · {symbol}</figcaption>{code}</figure>')
        label = {"output": "prints", "results": "measured", "python run": "try it"}.get(re.sub(r" tol=\S+", "", token.info.strip()))
        return f'<div class="block">{f"<small>{label}</small>" if label else ""}{code}</div>'

    def mathematics(content, options):
        return convert(content, display="block" if options["display_mode"] else "inline")
    markdown = MarkdownIt("commonmark", {"html": True}).enable("table")
    markdown.use(dollarmath_plugin, renderer=mathematics)
    markdown.add_render_rule("fence", fence)
    light = HtmlFormatter(style="friendly").get_style_defs(".code")
    dark = HtmlFormatter(style="github-dark").get_style_defs(".code")
    return markdown, f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}"


def highlighted(code, language, lines=False):
    """Code as HTML; with lines, each has an anchor of its number."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name

    formatter = HtmlFormatter(cssclass="code", linespans="line" if lines else "")
    return highlight(code, get_lexer_by_name(language), formatter)


def sources_of(text):
    """{file:symbol: first line} of a lesson's included sources."""
    found = {}
    for file, symbol in refresh.SOURCE.findall(text):
        first = refresh.source_of(file, symbol).splitlines()[0].strip()
        lines = (refresh.ROOT / file).read_text(encoding="utf-8").splitlines()
        found[f"{file}:{symbol}"] = next(n for n, line in enumerate(lines, 1) if line.strip() == first)
    return found


def page(name, markdown, style, names):
    """One lesson as HTML."""
    text = (LESSONS / f"{name}.md").read_text(encoding="utf-8")
    lines = sources_of(text)
    body = re.sub(r'(href="[0-9a-z_]+)\.md', r"\1.html", markdown.render(text, {"lines": lines}))
    files = dict.fromkeys(key.split(":")[0] for key in lines)
    panes = "".join(f'<section class="pane" data-file="{file}"><h2>{file}</h2>'
                    + highlighted((refresh.ROOT / file).read_text(encoding="utf-8"), "python", lines=True).replace(
                        'id="line-', f'id="{file}-') + "</section>" for file in files)
    place = names.index(name)
    links = " ".join(f'<a href="{names[n]}.html">{label}</a>' for n, label in ((place - 1, "back"), (place + 1, "next"))
                     if 0 <= n < len(names))
    return shell(text.splitlines()[0].lstrip("# "), body, panes, style, f'<a href="index.html">lessons</a> {links}')


def shell(title, body, panes, style, links):
    """The page around a text and its sources."""
    template = (LESSONS / "pages.html").read_text(encoding="utf-8")
    for key, value in (("TITLE", html.escape(title)), ("STYLE", style), ("LINKS", links), ("BODY", body), ("PANES", panes)):
        template = template.replace(f"<!-- {key} -->", value)
    return template


def write_site(out):
    """Write all pages and pictures into a folder.  Returns the path of the index."""
    markdown, style = renderer()
    out.mkdir(parents=True, exist_ok=True)
    names = [path.stem for path in sorted(LESSONS.glob("[0-9][0-9]_*.md"))]
    for name in names:
        (out / f"{name}.html").write_text(page(name, markdown, style, names), encoding="utf-8")
    index = re.sub(r'(href="[0-9a-z_]+)\.md', r"\1.html",
                   markdown.render((LESSONS / "README.md").read_text(encoding="utf-8"), {"lines": {}}))
    (out / "index.html").write_text(shell("minillm: the lessons", index, "", style, ""), encoding="utf-8")
    shutil.copytree(LESSONS / "pictures", out / "pictures", dirs_exist_ok=True)
    return out / "index.html"


def main(argv=None):
    """Write the site."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default="build/site", metavar="DIR", help="where to (build/site)")
    args = parser.parse_args(argv)
    try:
        print(write_site(Path(args.out)))
    except ModuleNotFoundError as error:
        parser.error(f"the package {error.name} is missing; pip install -e '.[site]'")


if __name__ == "__main__":
    main()
