// The command palette: everything that can be done or gone to, found by a few letters.

import { chosen, get } from "./api.js";
import { fill, h, marked } from "./dom.js";
import { rank } from "./fuzzy.js";
import { KEYMAP } from "./keymap.js";
import { go, link } from "./route.js";

const dialog = () => document.getElementById("palette");
// People and projects of a mailbox, read once it is opened.
let found = { mailbox: null, items: [] };

const PLACES = [
  ["Members and invitations", "settings", { tab: "members" }],
  ["Mailboxes: connect, share, disconnect", "settings", { tab: "mailboxes" }],
  ["Devices and API keys", "settings", { tab: "access" }],
  ["Privacy: export and erase", "settings", { tab: "privacy" }],
  ["Audit log", "settings", { tab: "audit" }],
  ["Appearance: light, dark, dense", "settings", {}],
];

function commands(run, choose) {
  const keys = KEYMAP.filter((each) => !["palette", "next", "previous", "open"].includes(each.id)).map((each) => ({
    kind: each.group === "Go" ? "Go to" : "Command", text: each.text, hint: each.keys[0], weight: 0.5, run: () => run(each.id),
  }));
  const places = PLACES.map(([text, view, params]) => ({ kind: "Go to", text, run: () => go(link(view, params)) }));
  const boxes = chosen.mailboxes.map((each) => ({ kind: "Mailbox", text: each.address, run: () => choose(each.mailbox_id) }));
  return [...keys, ...places, { kind: "Go to", text: "Administration", run: () => location.assign("/admin") }, ...boxes];
}

async function load(redraw) {
  const mailbox = chosen.mailbox?.mailbox_id;
  if (!mailbox || found.mailbox === mailbox) return;
  found = { mailbox, items: [] };
  const [people, projects] = await Promise.all([get("/v1/people", { limit: 200 }), get("/v1/projects", { limit: 100 })].map((each) => each.catch(() => ({ items: [] }))));
  found.items = [
    ...people.items.map((each) => ({ kind: "Person", text: each.name ? `${each.name} ${each.addresses[0] || ""}` : each.addresses[0] || "", run: () => go(link("search", { q: `from:${each.addresses[0] || each.name}` })) })),
    ...projects.items.map((each) => ({ kind: "Project", text: each.name, run: () => go(link("projects", { p: each.project_id })) })),
  ];
  redraw();
}

export function openPalette({ run, choose }) {
  const node = dialog();
  if (node.open) {
    node.close();
    return;
  }
  const all = commands(run, choose);
  const list = h("ul", { id: "palette-list", role: "listbox", "aria-label": "Results" });
  const said = h("p", { class: "vh", role: "status" });
  const box = h("input", { type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": "palette-list", "aria-autocomplete": "list", "aria-label": "Command, mailbox, person or project", placeholder: "Command, mailbox, person or project", autocomplete: "off", spellcheck: "false", autofocus: true });
  let results = [];
  let at = 0;

  function draw() {
    const query = box.value;
    results = rank(query, [...all, ...(query.trim() ? found.items : [])]);
    if (query.trim()) results.push({ item: { kind: "Search", text: `Search mail for “${query.trim()}”`, run: () => go(link("search", { q: query.trim() })) }, spans: [] });
    at = 0;
    fill(list, results.map(({ item, spans }, index) =>
      h(
        "li",
        { id: `palette-${index}`, role: "option", "aria-selected": index === at ? "true" : "false", on: { click: () => take(index), pointermove: () => point(index) } },
        h("span", { class: "palette-kind" }, item.kind),
        h("span", { class: "palette-text" }, marked(item.text, spans)),
        item.hint ? h("kbd", {}, item.hint) : null,
      )));
    point(0);
    fill(said, `${results.length} results`);
  }

  function point(index) {
    if (!results.length) return;
    list.children[at]?.setAttribute("aria-selected", "false");
    at = (index + results.length) % results.length;
    list.children[at].setAttribute("aria-selected", "true");
    list.children[at].scrollIntoView({ block: "nearest" });
    box.setAttribute("aria-activedescendant", `palette-${at}`);
  }

  function take(index) {
    node.close();
    results[index]?.item.run();
  }

  box.addEventListener("input", draw);
  box.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key] ?? (event.ctrlKey ? { n: 1, p: -1 }[event.key] : undefined);
    if (by) point(at + by);
    else if (event.key === "Enter") take(at);
    else return;
    event.preventDefault();
  });
  fill(node, box, said, list);
  draw();
  node.showModal();
  load(() => node.open && box.value.trim() && draw());
}
