// Which messages are selected, and the bar that says so and acts on them.

import { add, fill, h } from "./dom.js";

const ids = new Set();
let last = null;

export const has = (id) => ids.has(id);
export const all = () => [...ids];

function told() {
  for (const box of document.querySelectorAll(".pick")) box.setAttribute("aria-checked", ids.has(box.dataset.pick) ? "true" : "false");
  window.dispatchEvent(new Event("selection"));
}

export function toggle(id) {
  if (ids.has(id)) ids.delete(id);
  else ids.add(id);
  last = id;
  told();
}

// From the one selected last to this one, as with Shift in a list of files.
export function reach(id) {
  const order = [...document.querySelectorAll("#list-pane .pick")].map((each) => each.dataset.pick);
  const [from, to] = [order.indexOf(last), order.indexOf(id)].sort((a, b) => a - b);
  if (from < 0) toggle(id);
  else {
    for (const each of order.slice(from, to + 1)) ids.add(each);
    told();
  }
}

export function clear() {
  if (!ids.size) return false;
  ids.clear();
  told();
  return true;
}

// What has left the list cannot be acted on unseen.
export function prune() {
  const here = new Set([...document.querySelectorAll("#list-pane .pick")].map((each) => each.dataset.pick));
  const before = ids.size;
  for (const id of [...ids]) if (!here.has(id)) ids.delete(id);
  if (ids.size !== before) told();
}

// The bar takes the place of the filters while something is selected. `run` is told what to do with all of it.
export function bar(run) {
  const node = h("div", { class: "selection", role: "toolbar", "aria-label": "Selected messages", hidden: true });
  const said = h("span", { class: "selected-count", role: "status" });
  const button = (command, text) => h("button", { type: "button", on: { click: () => run(command) } }, text);
  add(node, [said, button("done", "Done"), button("snooze", "Snooze"), button("star", "Star"), button("read", "Read"), h("button", { type: "button", class: "quiet", on: { click: clear } }, "Clear")]);
  const draw = () => {
    node.hidden = !ids.size;
    node.closest(".pane")?.classList.toggle("selecting", ids.size > 0);
    fill(said, ids.size ? `${ids.size} selected` : "");
  };
  const listen = () => (node.isConnected ? draw() : window.removeEventListener("selection", listen));
  window.addEventListener("selection", listen);
  return node;
}
