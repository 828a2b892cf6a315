"use strict";
// What the page can do without: the same values and texts are on it when no script runs.

// Values appear at once where the pointer is, and on touch; a browser shows titles late, or never.
const tip = document.createElement("div");
tip.className = "tip";
tip.hidden = true;
document.body.append(tip);

for (const title of document.querySelectorAll("svg title")) {
  title.parentNode.dataset.tip = title.textContent;
  title.remove();
}
for (const element of document.querySelectorAll("[title]")) {
  element.dataset.tip = element.title;
  element.removeAttribute("title");
}

function show(event) {
  const element = event.target.closest?.("[data-tip]");
  tip.hidden = !element;
  if (!element) return;
  tip.textContent = element.dataset.tip;
  const left = Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 8);
  const below = event.clientY + 18;
  const fits = below + tip.offsetHeight < innerHeight;
  tip.style.left = Math.max(8, left) + "px";
  tip.style.top = (fits ? below : event.clientY - tip.offsetHeight - 12) + "px";
}
addEventListener("pointermove", show);
addEventListener("pointerdown", show);
addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });

// The samples of pretraining: a slider chooses one of them, and the last stays beside it.
for (const film of document.querySelectorAll(".film")) {
  const frames = [...film.querySelectorAll("li")];
  if (frames.length < 3) continue;
  const slider = document.createElement("input");
  Object.assign(slider, { type: "range", min: 0, max: frames.length - 2, value: 0 });
  slider.setAttribute("aria-label", "step of pretraining");
  const choose = () => {
    frames.forEach((frame, i) => frame.classList.toggle("chosen", i === Number(slider.value)));
    slider.setAttribute("aria-valuetext", frames[slider.value].querySelector("h3").textContent);
  };
  slider.addEventListener("input", choose);
  film.before(slider);
  film.classList.add("live");
  choose();
}
