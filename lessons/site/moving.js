// Things to move. Their data stand in the page, computed by the package; each function here draws one kind into its stage.
const tag = (name, attributes = {}, ...children) => {
  const element = document.createElement(name);
  Object.entries(attributes).forEach(([key, value]) => key in element ? element[key] = value : element.setAttribute(key, value));
  element.append(...children);
  return element;
};
const svg = (name, attributes = {}, ...children) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
  element.append(...children);
  return element;
};
const shown = text => text.replaceAll(" ", "␣").replaceAll("\n", "⏎") || "∅";
const sum = values => values.reduce((a, b) => a + b, 0);

// A slider with its name and its value; `changed` is called when it moves.
function slider(name, min, max, step, value, changed, words = x => x) {
  const input = tag("input", { type: "range", min, max, step, value }), output = tag("output", {}, String(words(value)));
  input.oninput = () => { output.textContent = words(+input.value); changed(); };
  return { label: tag("label", {}, name, input, output), get value() { return +input.value; } };
}

function choice(name, options, changed) {
  const select = tag("select", { onchange: changed }, ...options.map((text, i) => tag("option", { value: i }, text)));
  return { label: tag("label", {}, name, select), get value() { return +select.value; } };
}

// Bars of [text, share, cut] rows.
function bars(rows) {
  const cells = rows.flatMap(([text, share, cut]) => [
    tag("code", { className: cut ? "out" : "" }, shown(text)),
    tag("div", { className: "bar-of" + (cut ? " out" : "") }, tag("i", { style: `width:${100 * share}%` })),
    tag("span", {}, share.toFixed(3))]);
  return tag("div", { className: "bars" }, ...cells);
}

// Axes of a plot with room for their names: x and y map values to the drawing's units.
function plot(width, height, [x0, x1], [y0, y1], xName, yName) {
  const [left, right, top, bottom] = [34, 8, 12, 30];
  const x = v => left + (v - x0) / (x1 - x0) * (width - left - right);
  const y = v => height - bottom - (v - y0) / (y1 - y0) * (height - top - bottom);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}` },
    svg("path", { class: "axis", d: `M${left} ${top}V${height - bottom}H${width - right}` }),
    svg("text", { x: width - right, y: height - 4, "text-anchor": "end" }, xName),
    svg("text", { x: left + 6, y: top + 6 }, yName),
    ...[x0, (x0 + x1) / 2, x1].map(v => svg("text",
      { x: x(v), y: height - bottom + 13, "text-anchor": "middle" }, +v.toFixed(2))),
    ...[y0, (y0 + y1) / 2, y1].map(v => svg("text", { x: left - 5, y: y(v) + 4, "text-anchor": "end" }, +v.toFixed(1))));
  const path = points => "M" + points.map(([a, b]) => `${x(a)} ${y(b)}`).join("L");
  const line = (points, kind = "") => svg("path", { class: `curve ${kind}`, d: path(points) });
  const dot = ([a, b], kind = "", r = 4) => svg("circle", { class: `dot ${kind}`, cx: x(a), cy: y(b), r });
  return { picture, line, dot };
}

const draw = {
  // The loss over the steps, and what the model wrote at each look.
  steps(stage, { losses, samples }) {
    const { picture, line, dot } = plot(520, 170, [0, losses.length - 1], [0, Math.ceil(losses[0])], "step", "loss, nats");
    const text = tag("p", { className: "sample" }), mark = svg("g");
    picture.append(line(losses.map((loss, step) => [step, loss])), mark);
    const move = () => {
      const look = samples[at.value];
      mark.replaceChildren(dot([look.step, losses[look.step]], "", 5));
      text.replaceChildren(tag("b", {}, "The"), look.text.startsWith(" ") ? look.text : ` ${look.text}`);
    };
    const last = samples.length - 1;
    const at = slider("after step", 0, last, 1, last, move, i => `${samples[i].step}: ${samples[i].loss.toFixed(2)}`);
    stage.replaceChildren(at.label, picture, text);
    move();
  },

  // The package's next_token_probs: softmax of logits over the temperature, then top-k, then top-p. The logits are sorted.
  sampling(stage, { tokens, logits }) {
    const probabilities = () => {
      const t = temperature.value;
      let p = logits.map((z, i) => t === 0 ? +(i === 0) : i < (topK.value || logits.length) ? Math.exp((z - logits[0]) / t) : 0);
      const normalize = values => { const total = sum(values); return values.map(v => v / total); };
      p = normalize(p);
      let before = 0;
      return topP.value < 1 ? normalize(p.map(v => { const kept = before < topP.value ? v : 0; before += v; return kept; })) : p;
    };
    const held = tag("div"), said = tag("p");
    const move = () => {
      const p = probabilities();
      held.replaceChildren(bars(tokens.slice(0, 14).map((token, i) => [token, p[i], p[i] === 0])));
      const entropy = sum(p.filter(v => v > 0).map(v => -v * Math.log(v)));
      said.textContent = `${p.filter(v => v > 0).length} tokens are left of ${p.length}; ` +
        `the entropy is ${entropy.toFixed(2)} nats; ` +
        `${(100 * sum(p.slice(14))).toFixed(1)}% lies beyond the 14 that are shown.`;
    };
    const temperature = slider("temperature", 0, 2, 0.05, 1, move, v => v.toFixed(2));
    const topK = slider("top-k", 0, 40, 1, 0, move, v => v || "all");
    const topP = slider("top-p", 0.05, 1, 0.05, 1, move, v => v.toFixed(2));
    const again = tag("button", { onclick() {
      const p = probabilities();
      const drawn = () => { let u = Math.random(); return tokens[p.findIndex(v => (u -= v) < 0)] ?? tokens[0]; };
      drew.textContent = " " + Array.from({ length: 12 }, drawn).map(shown).join("  ");
    } }, "Draw twelve"), drew = tag("code");
    stage.replaceChildren(temperature.label, topK.label, topP.label, held, said, tag("p", {}, again, drew));
    move();
  },

  // A head's weights as a square of cells.
  attention(stage, { tokens, weights }) {
    const T = tokens.length, left = 78, cell = 22, size = left + T * cell;
    const picture = svg("svg", { viewBox: `0 0 ${size} ${size}`, style: "max-width:34rem;margin:auto" }), said = tag("p");
    const move = () => {
      const head = weights[layer.value][which.value];
      picture.replaceChildren(...tokens.flatMap((token, t) => [
        svg("text", { x: left - 6, y: left + t * cell + 15, "text-anchor": "end" }, shown(token)),
        svg("text", { transform: `translate(${left + t * cell + 15} ${left - 6}) rotate(-60)` }, shown(token)),
        ...head[t].slice(0, t + 1).map((weight, s) => {
          const square = svg("rect", { x: left + s * cell, y: left + t * cell, width: cell - 1, height: cell - 1, rx: 2,
            style: `fill:color-mix(in srgb, var(--accent) ${100 * weight}%, var(--line))` },
            svg("title", {}, `${token} looks at ${tokens[s]}: ${weight}`));
          square.onmouseenter = () =>
            said.textContent = `Reading ${shown(token)}, this head gives ${weight.toFixed(2)} to ${shown(tokens[s])}.`;
          return square;
        })]));
      const back = d => sum(head.slice(d).map((row, i) => row[i])) / (T - d);
      said.textContent = `On average ${back(0).toFixed(2)} on the token itself, ${back(1).toFixed(2)} on the one before, ` +
        `${(sum(head.map(row => row[0])) / T).toFixed(2)} on the first.`;
    };
    const layer = slider("layer", 0, weights.length - 1, 1, 0, () => move());
    const which = slider("head", 0, weights[0].length - 1, 1, 0, () => move());
    stage.replaceChildren(layer.label, which.label, picture, said);
    move();
  },

  // What a token's vector predicts after each block.
  lens(stage, { tokens, layers }) {
    let at = tokens.length - 2;
    const held = tag("div"), words = tag("div", { className: "words" });
    const move = () => {
      words.replaceChildren(...tokens.map((token, t) => tag("button",
        { ariaPressed: String(t === at), onclick() { at = t; move(); } }, shown(token))));
      const where = depth.value ? `After ${depth.value} of ${layers.length - 1} blocks` : "Straight from the embedding";
      const next = tokens[at + 1] ? [" (the text goes on with ", tag("code", {}, shown(tokens[at + 1])), ")"] : [];
      held.replaceChildren(
        tag("p", {}, `${where}, the vector of `, tag("code", {}, shown(tokens[at])), " predicts", ...next, ":"),
        bars(layers[depth.value][at]));
    };
    const depth = slider("blocks", 0, layers.length - 1, 1, layers.length - 1, move);
    stage.replaceChildren(tag("p", {}, "Choose a token, then move through the blocks."), words, depth.label, held);
    move();
  },

  // The exact optimum for each beta, best-of-n and the temperature beside it.
  frontier(stage, { tokens, probs, reward, betas, frontier, sharpened, best_of }) {
    const all = [...frontier, ...sharpened, ...best_of];
    const most = Math.ceil(10 * Math.max(...all.map(p => p[0]))) / 10, top = Math.ceil(Math.max(...all.map(p => p[1])));
    const { picture, line, dot } = plot(520, 240, [0, most], [0, top], "KL, nats", "letters");
    const mark = svg("g"), held = tag("div"), said = tag("p");
    picture.append(line(frontier), line(sharpened, "other"), ...best_of.map(p => dot(p, "other", 3)), mark);
    const move = () => {
      const beta = betas[at.value], best = Math.max(...reward);
      const weights = probs.map((p, i) => p * Math.exp((reward[i] - best) / beta)), total = sum(weights);
      const tilted = weights.map((weight, i) => [tokens[i], weight / total]).sort((a, b) => b[1] - a[1]).slice(0, 8);
      const [kl, mean] = frontier[at.value];
      mark.replaceChildren(dot([kl, mean], "", 6));
      held.replaceChildren(bars(tilted));
      said.textContent = `KL ${kl.toFixed(2)} nats, ${mean.toFixed(2)} letters on average; ` +
        `reward less beta KL: ${(mean - beta * kl).toFixed(2)}.`;
    };
    const at = slider("beta", 0, betas.length - 1, 1, 20, move, i => betas[i].toFixed(2));
    const key = tag("p", { className: "note" }, "Line: the frontier. Dots: best of 1, 2, 4, 8, 16. Dashed: lower temperatures.");
    stage.replaceChildren(at.label, picture, key, said, held);
    move();
  },

  // One pair of a query (at place t) and of a key (at place s), turned; and the score of the whole head over all distances.
  rotation(stage, { cos, sin, query, key }) {
    const pairs = cos[0].length, last = cos.length - 1;
    const turned = ([x, y], place, i) => {
      const c = cos[place][i], s = sin[place][i];
      return [x[i] * c - y[i] * s, y[i] * c + x[i] * s];
    };
    const part = (a, b, i) => { const [p, q] = [turned(query, a, i), turned(key, b, i)]; return p[0] * q[0] + p[1] * q[1]; };
    const score = (a, b) => sum([...Array(pairs).keys()].map(i => part(a, b, i)));
    const picture = svg("svg", { viewBox: "-110 -110 220 220", style: "max-width:17rem;margin:auto" }), said = tag("p");
    const move = () => {
      const i = pair.value, arrow = ([x, y], name, kind) => {
        const length = Math.hypot(x, y), [a, b] = [85 * x / length, -85 * y / length];
        return [svg("path", { class: `curve ${kind}`, d: `M0 0L${a} ${b}` }),
          svg("circle", { class: `dot ${kind}`, cx: a, cy: b, r: 4 }),
          svg("text", { x: 1.18 * a, y: 1.18 * b + 4, "text-anchor": "middle" }, name)];
      };
      picture.replaceChildren(svg("circle", { class: "axis", r: 85 }),
        ...arrow(turned(query, t.value, i), "query", ""), ...arrow(turned(key, s.value, i), "key", "other"));
      said.textContent = `Distance ${t.value - s.value}. This pair adds ${part(t.value, s.value, i).toFixed(3)}; ` +
        `the whole head's score is ${score(t.value, s.value).toFixed(3)}.`;
    };
    const t = slider("query's place t", 0, last, 1, 9, move), s = slider("key's place s", 0, last, 1, 6, move);
    const pair = slider("pair", 0, pairs - 1, 1, 0, move);
    const both = tag("button", { onclick() {
      const inputs = [t, s].map(one => one.label.querySelector("input"));
      if (Math.max(t.value, s.value) === last) return;
      inputs.forEach(input => { input.value = +input.value + 1; input.dispatchEvent(new Event("input")); });
    } }, "Move both one place on");
    stage.replaceChildren(t.label, s.label, pair.label, picture, said, both);
    move();
  },
};

document.querySelectorAll(".moving").forEach(section =>
  draw[section.dataset.widget](section.querySelector(".stage"), JSON.parse(section.querySelector("script").textContent)));
