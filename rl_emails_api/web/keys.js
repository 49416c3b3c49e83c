// The keyboard: single keys as mail programs have them, never while typing. What each does is in `commands`.

import { fill, h } from "./dom.js";
import { KEYMAP } from "./keymap.js";

const AFTER_G_MS = 1500;
const SINGLE = new Map();
const AFTER_G = new Map();
for (const { id, keys } of KEYMAP) {
  for (const key of keys) {
    if (key.startsWith("g ")) AFTER_G.set(key.slice(2), id);
    else SINGLE.set({ "↓": "ArrowDown", "↑": "ArrowUp", Esc: "Escape" }[key] || key, id);
  }
}

let afterG = 0;

export function drawHelp(help) {
  const groups = [...new Set(KEYMAP.map((each) => each.group))];
  fill(
    help,
    h("h2", { id: "help-title" }, "Keys"),
    h("div", { class: "key-groups" }, groups.map((group) =>
      h("section", {}, h("h3", {}, group), h("dl", { class: "keys" }, KEYMAP.filter((each) => each.group === group).map(({ keys, text }) =>
        h("div", {}, h("dt", {}, keys.map((key) => h("kbd", {}, key))), h("dd", {}, text))))))),
    h("form", { method: "dialog" }, h("button", { type: "submit", autofocus: true }, "Close")),
  );
  help.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    help.close();
  });
}

// `run` is told the id of a command and answers false when it has nothing to do, so that the key keeps its own meaning.
export function install(run) {
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      run("palette");
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const isTyping = event.target.closest("input, textarea, select");
    if (isTyping && event.key !== "Escape") return;
    if (isTyping) {
      event.target.blur();
      if (!event.target.matches("[type=search]")) return;
    }
    const now = performance.now();
    const isSecond = afterG && now - afterG < AFTER_G_MS;
    afterG = 0;
    if (isSecond && AFTER_G.has(event.key)) {
      event.preventDefault();
      run(AFTER_G.get(event.key));
      return;
    }
    if (event.key === "g") {
      afterG = now;
      event.preventDefault();
      return;
    }
    const id = SINGLE.get(event.key);
    // Enter and the arrows keep their meaning on what has one.
    if (!id || event.key === "Enter" || (event.key.startsWith("Arrow") && !event.target.matches("body, .row[data-message]"))) return;
    if (run(id, event) !== false) event.preventDefault();
  });
}
