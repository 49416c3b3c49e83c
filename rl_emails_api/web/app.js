// The page: navigation, the mailbox, and which view and message are shown. Each view is a module of its own.

import * as actions from "./actions.js";
import { chosen } from "./api.js";
import { isDark, setTheme } from "./appearance.js";
import { empty, failure, fill, h, icon, skeleton } from "./dom.js";
import { plural } from "./format.js";
import * as fresh from "./fresh.js";
import * as inbox from "./inbox.js";
import * as keys from "./keys.js";
import { refresh } from "./paging.js";
import * as reader from "./reader.js";
import { VIEWS, current, go, link } from "./route.js";
import { markOpen, rove, rowFor, step, stepSection } from "./rows.js";
import * as selection from "./selection.js";

const VIEW = {
  inbox: async () => inbox,
  tasks: () => import("./tasks.js"),
  projects: () => import("./projects.js"),
  people: () => import("./people.js"),
  search: () => import("./search.js"),
  status: () => import("./status.js"),
  settings: () => import("./settings.js"),
  invitation: async () => ({ show: async (list, params) => (await import("./members.js")).accept(list, params.get("token") || "") }),
};
// What needs no mailbox.
const WITHOUT = ["settings", "invitation"];
const TITLES = { inbox: "Inbox", tasks: "Tasks", projects: "Projects", people: "People", search: "Search", status: "Status", settings: "Settings", invitation: "Invitation" };
const PLACES = {
  "go-inbox": ["inbox"], "go-tasks": ["tasks"], "go-waiting": ["tasks", { who: "waiting" }], "go-projects": ["projects"], "go-people": ["people"],
  "go-status": ["status"], "go-settings": ["settings"], "go-done": ["inbox", { state: "done" }], "go-snoozed": ["inbox", { state: "snoozed" }],
};
const KEPT = "rl-emails mailbox";

const list = document.getElementById("list-pane");
const pane = document.getElementById("reader-pane");
const picker = document.getElementById("mailbox");
const help = document.getElementById("help");
const pill = document.getElementById("pill");
let shown = "";
let message = null;
let above = 0;

function navigation(view) {
  fill(
    document.getElementById("nav"),
    VIEWS.map((name) =>
      h("li", {}, h("a", { href: link(name), "aria-current": name === view ? "page" : null }, icon(name), h("span", {}, TITLES[name]))),
    ),
  );
  document.getElementById("settings-link").toggleAttribute("aria-current", view === "settings");
}

// What decides the list: everything but the message that is open.
function placeKey() {
  const { view, params } = current();
  params.delete("m");
  return `${view}?${params}`;
}

function render() {
  const { view, params } = current();
  if (!chosen.mailbox && !WITHOUT.includes(view)) {
    if (chosen.isRead) firstRun();
    return;
  }
  const open = chosen.mailbox ? params.get("m") : null;
  const key = placeKey();
  document.body.dataset.view = view;
  document.body.classList.toggle("reading", Boolean(open));
  document.title = `${TITLES[view]} – rl-emails`;
  if (key !== shown) {
    shown = key;
    navigation(view);
    list.scrollTop = 0;
    showPill(0);
    show(view, params, key);
  }
  markOpen(list);
  if (open === message) return;
  const fromList = document.activeElement?.matches?.(".row") || document.activeElement === document.body;
  message = open;
  if (open) reader.open(pane, open, { focus: fromList });
  else reader.welcome(pane);
}

async function show(view, params, key) {
  let module;
  try {
    module = await VIEW[view]();
  } catch {
    fill(list, failure(new Error("This part of the page could not be fetched. The server may have stopped."), () => location.reload()));
    return;
  }
  if (key === shown) module.show(list, params);
}

async function start() {
  navigation(current().view);
  fill(list, skeleton());
  reader.welcome(pane);
  try {
    await fresh.read(localStorage.getItem(KEPT));
  } catch (error) {
    if (error.status !== 401) fill(list, failure(error, start));
    return;
  }
  listed();
  fresh.follow({ listed, arrived });
}

// The mailboxes are known, or others than before.
function listed() {
  chosen.isRead = true;
  fill(picker, chosen.mailboxes.map((each) => h("option", { value: each.mailbox_id, selected: each === chosen.mailbox }, each.address)));
  picker.disabled = chosen.mailboxes.length < 2;
  shown = "";
  render();
}

async function firstRun() {
  const { view } = current();
  navigation(view);
  shown = "";
  document.body.dataset.view = "first-run";
  document.title = "Welcome – rl-emails";
  (await import("./guide.js")).show(list);
}

// The chosen mailbox has been worked on: read its list again where it stands.
async function arrived() {
  if (current().view === "status" && chosen.mailbox) (await VIEW.status()).show(list);
  else await refresh();
}

function showPill(count) {
  above = count;
  pill.hidden = !count;
  pill.textContent = count ? `${plural(count, "new message")} above` : "";
}

pill.addEventListener("click", () => {
  showPill(0);
  list.scrollTo({ top: 0, behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  const first = list.querySelector(".row[data-message]");
  if (first) {
    rove(list, first);
    first.focus({ preventScroll: true });
  }
});
list.addEventListener("scroll", () => above && list.scrollTop < 40 && showPill(0), { passive: true });
window.addEventListener("arrived", (event) => event.detail && showPill(above + event.detail));

function choose(mailboxId) {
  chosen.mailbox = chosen.mailboxes.find((each) => each.mailbox_id === mailboxId);
  picker.value = mailboxId;
  localStorage.setItem(KEPT, mailboxId);
  shown = "";
  message = undefined;
  fresh.draw();
  go(link(current().view), { replace: true });
}

// What a key, a button or the palette asks for; false when there is nothing to do.
function run(id, event) {
  if (PLACES[id]) return go(link(...PLACES[id]));
  const box = document.activeElement?.closest?.(".task")?.querySelector(".check");
  switch (id) {
    case "next":
      return step(list, 1);
    case "previous":
      return step(list, -1);
    case "next-section":
      return stepSection(list, 1);
    case "previous-section":
      return stepSection(list, -1);
    case "open":
      if (!document.activeElement.matches(".row")) return false;
      return document.activeElement.click();
    case "back":
      return back(event);
    case "done":
      return box ? box.click() : actions.run(id);
    case "snooze":
    case "star":
    case "read":
      return actions.run(id);
    case "reply":
    case "reply-all":
      return reply(id);
    case "select": {
      const row = document.activeElement?.closest?.(".item")?.querySelector(".row") || rowFor(current().params.get("m") || "");
      return row ? selection.toggle(row.dataset.message) : false;
    }
    case "undo":
      return actions.undoLast();
    case "why":
      return reader.toggleWhy(pane);
    case "correct":
      return reader.correct(pane);
    case "important":
      return reader.press(pane, "important");
    case "unimportant":
      return reader.press(pane, "not_important");
    case "category":
      return reader.focusOn(pane, ".corrections select");
    case "search":
      if (current().view === "search") return document.getElementById("query")?.focus();
      return go(link("search"));
    case "palette":
      return import("./palette.js").then((module) => module.openPalette({ run, choose }));
    case "theme":
      return setTheme(isDark() ? "light" : "dark");
    default:
      keys.drawHelp(help);
      return help.showModal();
  }
}

function reply(id) {
  if (pane.querySelector('[data-key="reply"]')) return (pane.querySelector(`[data-key="${id}"]`) || pane.querySelector('[data-key="reply"]')).click();
  const [row] = actions.targets();
  if (!row) return false;
  const once = new MutationObserver(() => {
    if (!pane.querySelector('[data-key="reply"]')) return;
    once.disconnect();
    reply(id);
  });
  once.observe(pane, { childList: true, subtree: true });
  setTimeout(() => once.disconnect(), 5000);
  return rowFor(row)?.click();
}

function back(event) {
  const open = current().params.get("m");
  if (!open) return event?.key === "Escape" ? selection.clear() : false;
  reader.close();
  const row = rowFor(open);
  if (!row) return true;
  rove(list, row);
  return row.focus();
}

// One listener for what stands in every line: a box, and the quick buttons.
list.addEventListener("click", (event) => {
  const box = event.target.closest(".pick");
  if (box) {
    if (event.shiftKey) selection.reach(box.dataset.pick);
    else selection.toggle(box.dataset.pick);
    return;
  }
  const quick = event.target.closest("[data-quick]");
  if (quick) actions.run(quick.dataset.quick, [quick.closest("li").querySelector(".row").dataset.message]);
});
list.addEventListener("focusin", (event) => event.target.matches(".row[data-message]") && rove(list, event.target));
picker.addEventListener("change", () => choose(picker.value));
document.getElementById("help-button").addEventListener("click", () => run("help"));
document.getElementById("palette-button").addEventListener("click", () => run("palette"));
for (const dialog of document.querySelectorAll("dialog")) dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
window.addEventListener("hashchange", render);
window.addEventListener("place", () => (shown = placeKey()));
window.addEventListener("mailboxes", async () => {
  await fresh.read();
  listed();
});
window.addEventListener("signed-out", () => fill(list, empty("You are signed out", "Open the inbox by its link again, or ", h("a", { href: "/auth/login" }, "sign in"), ".")));
keys.install(run);
start();
