// The page: navigation, the mailbox, and which view and message are shown. Each view is a module of its own.

import { chosen } from "./api.js";
import { failure, fill, h, icon, skeleton } from "./dom.js";
import * as fresh from "./fresh.js";
import * as inbox from "./inbox.js";
import * as keys from "./keys.js";
import { refresh } from "./paging.js";
import * as people from "./people.js";
import * as projects from "./projects.js";
import * as reader from "./reader.js";
import { VIEWS, current, go, link } from "./route.js";
import * as search from "./search.js";
import * as status from "./status.js";
import * as tasks from "./tasks.js";

const MODULES = { inbox, tasks, projects, people, search, status };
const TITLES = { inbox: "Inbox", tasks: "Tasks", projects: "Projects", people: "People", search: "Search", status: "Status" };
const KEPT = "rl-emails mailbox";

const list = document.getElementById("list-pane");
const pane = document.getElementById("reader-pane");
const picker = document.getElementById("mailbox");
let shown = "";
let message = null;

function navigation(view) {
  fill(
    document.getElementById("nav"),
    VIEWS.map((name) =>
      h("li", {}, h("a", { href: link(name), "aria-current": name === view ? "page" : null }, icon(name), h("span", {}, TITLES[name]))),
    ),
  );
}

// What decides the list: everything but the message that is open.
function placeKey() {
  const { view, params } = current();
  params.delete("m");
  return `${view}?${params}`;
}

function render() {
  if (!chosen.mailbox) return;
  const { view, params } = current();
  const open = params.get("m");
  const key = placeKey();
  document.body.dataset.view = view;
  document.body.classList.toggle("reading", Boolean(open));
  document.title = `${TITLES[view]} – rl-emails`;
  if (key !== shown) {
    shown = key;
    navigation(view);
    list.scrollTop = 0;
    MODULES[view].show(list, params);
  }
  inbox.markOpen(list);
  if (open === message) return;
  const fromList = document.activeElement?.matches?.(".row") || document.activeElement === document.body;
  message = open;
  if (open) reader.open(pane, open, { focus: fromList });
  else reader.welcome(pane);
}

async function start() {
  navigation(current().view);
  fill(list, skeleton());
  reader.welcome(pane);
  try {
    await fresh.read(localStorage.getItem(KEPT));
  } catch (error) {
    fill(list, failure(error, start));
    return;
  }
  listed();
  fresh.follow({ listed, arrived });
}

// The mailboxes are known, or others than before.
function listed() {
  fill(picker, chosen.mailboxes.map((each) => h("option", { value: each.mailbox_id, selected: each === chosen.mailbox }, each.address)));
  picker.disabled = chosen.mailboxes.length < 2;
  shown = "";
  if (chosen.mailbox) render();
  else {
    navigation("");
    fill(
      list,
      h("div", { class: "empty" }, h("p", { class: "empty-title" }, "No mailbox yet"), chosen.canConnect ? fresh.connect() : null, h("p", {}, "Import one: ", h("code", {}, "rl-emails import PATH --mailbox ADDRESS"))),
    );
  }
}

// The chosen mailbox has been worked on: read its list again where it stands.
function arrived() {
  if (current().view === "status") MODULES.status.show(list);
  else refresh();
}

picker.addEventListener("change", () => {
  chosen.mailbox = chosen.mailboxes.find((each) => each.mailbox_id === picker.value);
  localStorage.setItem(KEPT, picker.value);
  shown = "";
  message = undefined;
  fresh.draw();
  go(link(current().view), { replace: true });
});
window.addEventListener("hashchange", render);
window.addEventListener("place", () => (shown = placeKey()));
keys.install({ list, reader: pane, help: document.getElementById("help") });
start();
