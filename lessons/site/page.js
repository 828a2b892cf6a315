// What a page does: light or dark, the recorded guess, the source that follows the text, formulas that fit.
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const root = document.documentElement;

const storage = {       // a browser may refuse storage to pages read from disk; then nothing is kept
  get(key) { try { return localStorage.getItem(key); } catch { return null; } },
  set(key, value) { try { localStorage.setItem(key, value); } catch { /* not kept */ } },
};

// Light or dark: the system's choice, until the button is pressed.
const themeButton = document.getElementById("theme");
themeButton.hidden = false;
themeButton.onclick = () => {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  storage.set("theme", root.dataset.theme);
};

// The guess: the first numbered list after "Your guess". It is kept under the lesson's number.
const guessKey = lesson => `guess ${lesson}`;
const answerKey = lesson => `answer ${lesson}`;

function listAfter(heading) {
  for (let next = heading?.nextElementSibling; next && next.tagName !== "H2"; next = next.nextElementSibling)
    if (next.tagName === "OL") return next;
  return null;
}

function setUpGuess() {
  const options = listAfter(document.getElementById("your-guess"));
  if (!options) return;
  const note = Object.assign(document.createElement("p"), { className: "note" });
  options.after(note);
  options.classList.add("guess");
  options.setAttribute("role", "radiogroup");
  const show = () => {
    const guess = storage.get(guessKey(root.dataset.lesson));
    all(":scope > li", options).forEach((item, i) => item.setAttribute("aria-checked", String(i + 1) === guess));
    note.textContent = guess ? `Your guess, ${guess}, is kept in this browser.` : "Choose one; it is kept in this browser.";
  };
  all(":scope > li", options).forEach((item, i) => {
    const choose = () => { storage.set(guessKey(root.dataset.lesson), i + 1); show(); };
    item.tabIndex = 0;
    item.setAttribute("role", "radio");
    item.onclick = choose;
    item.onkeydown = event => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(); } };
  });
  show();
}

function compareGuess() {
  const answer = all("details").find(details => /answer to the guess/i.test(details.querySelector("summary")?.textContent || ""));
  answer?.addEventListener("toggle", () => {
    if (!answer.open || answer.querySelector(".verdict")) return;
    const guess = storage.get(guessKey(root.dataset.lesson)), right = answer.textContent.match(/Guess (\d)/)?.[1];
    const verdict = Object.assign(document.createElement("p"), { className: "verdict" });
    verdict.textContent = !guess ? "You have not guessed." : !right ? `You guessed ${guess}.` :
      guess === right ? `You guessed ${guess}, and so it is.` : `You guessed ${guess}; it is ${right}.`;
    if (right) storage.set(answerKey(root.dataset.lesson), right);
    answer.querySelector("summary").after(verdict);
  });
}

function showGuessesInIndex() {
  all(".card").forEach(card => {
    const guess = storage.get(guessKey(card.dataset.lesson)), right = storage.get(answerKey(card.dataset.lesson));
    if (!guess) return;
    const said = Object.assign(document.createElement("small"), { className: "verdict" });
    said.textContent = `your guess: ${guess}` + (right ? (guess === right ? ", right" : `; it was ${right}`) : "");
    card.append(said);
  });
}

// The source at the right. A figure in the text names a symbol; the pane of its file lights the whole of it.
const figures = all("figure.source"), panes = all(".pane"), aside = document.querySelector("aside");

function light(source, scroll = true) {
  const told = document.getElementById(source), file = source.split(":")[0];
  if (!told) return;
  panes.forEach(pane => pane.classList.toggle("shown", pane.dataset.file === file));
  all(".told.lit").forEach(old => old.classList.remove("lit"));
  told.classList.add("lit");
  figures.forEach(figure => figure.classList.toggle("now", figure.dataset.source === source));
  const heading = told.closest(".pane").querySelector("h2").offsetHeight;
  if (scroll) aside.scrollTop += told.getBoundingClientRect().top - aside.getBoundingClientRect().top - heading - 16;
}

let heldAt = -Infinity;          // where a click chose a symbol: it stays lit until the reader scrolls on

function followText() {          // the last figure whose head has passed the middle of the window
  if (Math.abs(scrollY - heldAt) < 60) return;
  heldAt = -Infinity;
  const passed = figures.filter(figure => figure.getBoundingClientRect().top < innerHeight * 0.55);
  const now = (passed.at(-1) || figures[0])?.dataset.source;
  if (now && now !== followText.last) light(followText.last = now);
}

function goToText(source) {      // the other way: from a symbol in the source to where the text speaks of it
  light(source, false);
  followText.last = source;
  const figure = figures.find(figure => figure.dataset.source === source);
  window.scrollTo({ top: figure.getBoundingClientRect().top + scrollY - innerHeight * 0.4, behavior: "instant" });
  heldAt = scrollY;
}

if (panes.length) {
  panes[0].classList.add("shown");
  all("figcaption a").forEach(a => a.onclick = event => {
    if (getComputedStyle(aside).display === "none") return;
    event.preventDefault();
    heldAt = scrollY;
    light(followText.last = a.closest("figure").dataset.source);
  });
  all(".told").forEach(told => told.onclick = event => { event.stopPropagation(); goToText(told.id); });
  all(".pane h2 a").forEach(a => a.onclick = event => {
    event.preventDefault();
    light(a.getAttribute("href").slice(1));
    goToText(a.getAttribute("href").slice(1));
  });
  addEventListener("scroll", () => requestAnimationFrame(followText), { passive: true });
  followText();
}

// A formula's piece that is wider than the page gets smaller letters.
function fitFormulas() {
  all("div.math").forEach(block => {
    block.style.fontSize = "";
    const share = block.clientWidth / block.scrollWidth;
    if (share < 1) block.style.fontSize = `${Math.max(0.5, share * 0.98)}em`;
  });
}

setUpGuess();
compareGuess();
showGuessesInIndex();
fitFormulas();
addEventListener("resize", fitFormulas);
document.fonts?.ready.then(fitFormulas);
