// The keyboard: single keys as mail programs have them, never while typing.

import { fill, h } from "./dom.js";
import { close, press, toggleWhy } from "./reader.js";
import { current, go, link } from "./route.js";

const HELP = [
  [["j", "k"], "Next, previous message"],
  [["o", "Enter"], "Open it"],
  [["u", "Esc"], "Back to the list"],
  [["e"], "Why it stands here"],
  [["i"], "It is important"],
  [["n"], "It is not important"],
  [["r"], "Mark read or unread"],
  [["/"], "Search"],
  [["g", "i"], "Go to the inbox; g t tasks, g j projects, g p people, g s status"],
  [["?"], "These keys"],
];
const PLACES = { i: "inbox", t: "tasks", j: "projects", p: "people", f: "search", s: "status" };

let afterG = false;

export function install({ list, reader, help }) {
  fill(
    help,
    h("h2", { id: "help-title" }, "Keys"),
    h("dl", { class: "keys" }, HELP.map(([keys, text]) => [h("dt", {}, keys.map((key) => h("kbd", {}, key))), h("dd", {}, text)])),
    h("form", { method: "dialog" }, h("button", { type: "submit", autofocus: true }, "Close")),
  );
  help.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    help.close();
  });
  document.getElementById("help-button").addEventListener("click", () => help.showModal());
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    if (event.key === "Escape") {
      if (current().params.get("m")) back(list);
      else if (event.target.matches("input")) event.target.blur();
      return;
    }
    if (event.target.closest("input, textarea, select")) return;
    if (handle(event, list, reader, help)) event.preventDefault();
  });
}

function handle(event, list, reader, help) {
  const key = event.key;
  if (afterG) {
    afterG = false;
    if (!PLACES[key]) return false;
    go(link(PLACES[key]));
    return true;
  }
  switch (key) {
    case "g":
      afterG = true;
      setTimeout(() => (afterG = false), 1500);
      return true;
    case "j":
      return step(list, 1);
    case "k":
      return step(list, -1);
    case "o":
      if (!document.activeElement.matches(".row")) return false;
      document.activeElement.click();
      return true;
    case "u":
      return back(list);
    case "e":
      toggleWhy(reader);
      return true;
    case "i":
      press(reader, "important");
      return true;
    case "n":
      press(reader, "not_important");
      return true;
    case "r":
      press(reader, "read");
      return true;
    case "/":
      if (current().view === "search") document.getElementById("query")?.focus();
      else go(link("search"));
      return true;
    case "?":
      help.showModal();
      return true;
    default:
      return false;
  }
}

function rowsOf(list) {
  return [...list.querySelectorAll(".row[data-message]")];
}

function step(list, by) {
  const rows = rowsOf(list);
  if (!rows.length) return false;
  const isOpen = Boolean(current().params.get("m"));
  const at = isOpen ? rows.findIndex((row) => row.matches('[aria-current="true"]')) : rows.indexOf(document.activeElement);
  const next = rows[Math.max(0, Math.min(rows.length - 1, at + by))];
  next.scrollIntoView({ block: "nearest" });
  if (at + by >= rows.length) list.querySelector(".more")?.click();
  if (isOpen) next.click();
  else next.focus();
  return true;
}

function back(list) {
  const open = current().params.get("m");
  if (!open) return false;
  close();
  list.querySelector(`.row[data-message="${CSS.escape(open)}"]`)?.focus();
  return true;
}

