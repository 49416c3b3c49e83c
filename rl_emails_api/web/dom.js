// Elements without markup strings: what comes from mail only ever becomes a text node.

const SVG = "http://www.w3.org/2000/svg";

export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") node.className = value;
    else if (name === "on") for (const [event, handler] of Object.entries(value)) node.addEventListener(event, handler);
    else if (name === "data") {
      for (const [key, each] of Object.entries(value)) if (each !== undefined && each !== null) node.dataset[key] = each;
    }
    else if (name === "value" || name === "checked" || name === "selected" || name === "open") node[name] = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  add(node, children);
  return node;
}

export function add(node, children) {
  for (const child of [children].flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}

export function fill(node, ...children) {
  node.replaceChildren();
  return add(node, children);
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

export const hidden = (text) => h("span", { class: "vh" }, text);
export const chip = (text, kind = "") => (text ? h("span", { class: `chip ${kind}`.trim() }, text) : null);

export function bar(share, kind = "") {
  const inner = h("span", { class: "bar-fill" });
  inner.style.width = `${Math.max(2, Math.min(100, share * 100))}%`;
  return h("span", { class: `bar ${kind}`, "aria-hidden": "true" }, inner);
}

export function score(value) {
  if (value === null || value === undefined) {
    return h("span", { class: "score none", title: "Not ranked yet" }, "–", hidden(" not ranked yet"));
  }
  const points = Math.round(value * 100);
  const kind = points >= 50 ? "high" : points < 20 ? "low" : "";
  return h("span", { class: `score ${kind}`, title: `Priority ${value.toFixed(3)}` }, hidden("Priority "), points, bar(value));
}

export function skeleton(count = 6) {
  const rows = Array.from({ length: count }, () => h("div", { class: "ghost" }, h("i"), h("i"), h("i")));
  return h("div", { class: "ghosts", role: "status", "aria-label": "Loading" }, rows);
}

export function empty(title, ...detail) {
  return h("div", { class: "empty" }, h("p", { class: "empty-title" }, title), detail.length ? h("p", {}, detail) : null);
}

export function failure(error, again) {
  return h(
    "div",
    { class: "empty failure", role: "alert" },
    h("p", { class: "empty-title" }, "This could not be loaded"),
    h("p", {}, error.message),
    again ? h("button", { type: "button", on: { click: again } }, "Try again") : null,
  );
}

export function title(text, ...beside) {
  return h("div", { class: "view-head" }, h("h1", { id: "view-title" }, text), beside.length ? h("div", { class: "view-end" }, beside) : null);
}

export function choice(label, options, chosen, choose) {
  const buttons = options.map(([value, text]) =>
    h("button", { type: "button", "aria-pressed": value === chosen ? "true" : "false", on: { click: () => choose(value) } }, text),
  );
  return h("div", { class: "choice", role: "group", "aria-label": label }, buttons);
}

export function pick(label, options, chosen, choose) {
  return h(
    "select",
    { "aria-label": label, on: { change: (event) => choose(event.target.value) } },
    options.map(([value, text]) => h("option", { value, selected: value === chosen }, text)),
  );
}

// A button that does something at the server: disabled meanwhile, and told when it fails.
export function act(text, work, props = {}) {
  const button = h("button", { type: "button", ...props }, text);
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await work(button);
    } catch (error) {
      toast(error.message, "bad");
    } finally {
      button.disabled = false;
    }
  });
  return button;
}

// A short word at the foot of the page. With `undo`, a button takes it back; the note is returned so that it can go early.
export function toast(text, kind = "", { undo = null, ms = 5000 } = {}) {
  const note = h("p", { class: `toast ${kind}` }, h("span", {}, text));
  if (undo) add(note, h("button", { type: "button", "aria-keyshortcuts": "z", on: { click: undo } }, "Undo ", h("kbd", {}, "z")));
  document.getElementById("toasts").append(note);
  setTimeout(() => note.remove(), ms);
  return note;
}

// Words as parts: what matches is marked. `spans` are [start, end) in characters as Python and Postgres count them; a
// script's own strings count some of them twice.
export function marked(text, spans, wrap = (piece) => h("mark", {}, piece)) {
  if (!spans.length) return [text];
  const points = [...text];
  const slice = (start, end) => points.slice(start, end).join("");
  const parts = [];
  let at = 0;
  for (const [start, end] of [...spans].sort((a, b) => a[0] - b[0])) {
    if (start < at || end <= start || start >= points.length) continue;
    parts.push(slice(at, start), wrap(slice(start, end)));
    at = end;
  }
  parts.push(slice(at));
  return parts;
}
