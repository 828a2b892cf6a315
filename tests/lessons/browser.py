"""Ask a headless Chromium what the written pages do: what sticks out at some widths, what moves, what fails."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

# Runs in each page: reports what reaches beyond the page (or beyond its own box, where a reader would have to scroll), errors,
# and which widgets look otherwise after each of their sliders was moved.
PROBE = """
<script>
const wrong = [];
addEventListener("error", event => wrong.push(event.message));
addEventListener("load", () => setTimeout(() => {
  const width = document.documentElement.clientWidth;
  const out = [...document.querySelectorAll("main *, .bar *")].filter(element => {
    const style = getComputedStyle(element), box = element.getBoundingClientRect();
    if (!box.width || element.closest("math") !== null && element.localName !== "math" || element.closest("svg")) return false;
    const scrolls = ["auto", "scroll", "hidden"].includes(style.overflowX) && element.scrollWidth > element.clientWidth + 1;
    return box.right > width + 1 || box.left < -1 || scrolls && !element.closest(".bar");
  }).map(element => `${element.localName}.${element.className} ${element.scrollWidth} ${element.textContent.slice(0, 40)}`);
  const still = [];
  document.querySelectorAll(".moving").forEach(section => {
    section.querySelectorAll("input").forEach(input => {
      const before = section.querySelector(".stage").innerHTML;
      input.value = +input.value === +input.min ? input.max : input.min;
      input.dispatchEvent(new Event("input"));
      if (section.querySelector(".stage").innerHTML === before)
        still.push(`${section.dataset.widget}: ${input.parentNode.textContent}`);
    });
  });
  // Choose the second guess, and open the answer: it must say so.
  document.querySelectorAll(".guess > li")[1]?.click();
  const answer = [...document.querySelectorAll("details")].find(one => /answer to the guess/i.test(one.textContent));
  if (answer) answer.open = true;
  const columns = [...document.querySelectorAll(".pane.shown pre")].map(pre => {        // how many letters a line has room for
    const letters = document.createElement("span");
    letters.textContent = "m".repeat(100);
    pre.append(letters);
    letters.style.cssText = "white-space: pre; position: absolute";
    const style = getComputedStyle(pre), room = pre.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    return Math.floor(100 * room / letters.getBoundingClientRect().width);
  });
  // A click on each symbol in the source brings the text to where it is spoken of, and leaves that symbol alone lit.
  const lost = [];
  if (columns.some(n => n))
    document.querySelectorAll(".told").forEach(told => {
      told.click();
      followText();
      const figure = [...document.querySelectorAll("figure.source")].find(figure => figure.dataset.source === told.id);
      const top = figure.getBoundingClientRect().top;
      if (top < 0 || top > innerHeight || !told.matches(".lit") || document.querySelectorAll(".told.lit").length !== 1)
        lost.push(`${told.id} ${top}`);
    });
  setTimeout(() => parent.postMessage({ page: location.pathname.split("/").at(-1), width, out, columns, lost, still, wrong,
    lit: document.querySelectorAll(".told.lit").length, moving: document.querySelectorAll(".moving").length,
    sources: document.querySelectorAll("figure.source").length,
    verdict: document.querySelector("details .verdict")?.textContent }, "*"), 50);
}, 300));
</script>
"""

FRAMES = """<!doctype html><pre id="said"></pre>%s<script>
addEventListener("message", event => document.getElementById("said").append(JSON.stringify(event.data) + "\\n"));
</script>"""


def reports(site, widths=(360, 800, 1400), only="*"):
    """What each page of a written site reports at each width: a list of dicts."""
    site = Path(site)
    pages = sorted(path for path in site.glob(f"{only}.html") if not path.name.startswith("probe"))
    frames = []
    for path in pages:
        probe = site / f"probe-{path.name}"
        probe.write_text(path.read_text(encoding="utf-8").replace("<header", PROBE + "<header", 1), encoding="utf-8")
        frames += [f'<iframe src="{probe.name}" width="{width}" height="800"></iframe>' for width in widths]
    (site / "probe.html").write_text(FRAMES % "".join(frames), encoding="utf-8")
    done = subprocess.run([CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={site / 'browser'}",
                           "--virtual-time-budget=20000", "--dump-dom", (site / "probe.html").as_uri()],
                          capture_output=True, text=True, timeout=240)
    said = re.search(r'<pre id="said">(.*?)</pre>', done.stdout, re.DOTALL)[1]
    for probe in site.glob("probe*.html"):
        probe.unlink()
    shutil.rmtree(site / "browser", ignore_errors=True)
    return [json.loads(html.unescape(line)) for line in said.splitlines()]
