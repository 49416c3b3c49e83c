// Search as you type, by words and by meaning, with names offered while they are typed.

import { get } from "./api.js";
import { act, empty, failure, fill, h, hidden, marked, score, skeleton, title } from "./dom.js";
import { fullTime, plural, sender, when } from "./format.js";
import { changed } from "./route.js";
import { chips, markOpen } from "./rows.js";

const WAIT = 180;
const SUGGESTED = { person: "Person", thread: "Subject", operator: "Narrow" };
const OPERATORS = [
  ["from:", "who sent it: a name or an address; also to:, cc:"],
  ["subject:", "words of the subject"],
  ["has:attachment", "with a file"],
  ["before:2026-03-01", "older than that day"],
  ["newer_than:2w", "of the last two weeks; also after:, older_than:, on:"],
  ["is:unread", "not opened yet; also is:read, is:starred, is:done"],
  ["needs:reply", "what it needs; also category:, label:, in:"],
  ["larger:5mb", "big mail; also smaller:, filename:"],
  ['"a phrase"', "these words in this order"],
  ["-word", "without the word"],
];

export function show(pane, params) {
  const results = h("div", { class: "results" });
  const said = h("p", { class: "vh", role: "status" });
  const names = h("ul", { class: "suggestions", id: "suggestions", role: "listbox", "aria-label": "Names", hidden: true });
  const box = h("input", {
    type: "search",
    id: "query",
    value: params.get("q") || "",
    placeholder: "Words, names, from:ada before:2026-03-01",
    role: "combobox",
    "aria-label": "Search mail",
    "aria-expanded": "false",
    "aria-controls": "suggestions",
    "aria-autocomplete": "list",
    autocomplete: "off",
    spellcheck: "false",
    maxlength: 500,
  });
  let timer;
  let running;
  let offered = [];
  let at = -1;
  box.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      run(true);
      suggest();
    }, WAIT);
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !names.hidden) offer([]);
    else if (event.key === "ArrowDown" && !names.hidden) point(at + 1);
    else if (event.key === "ArrowUp" && !names.hidden) point(at - 1);
    else if (event.key === "ArrowDown") pane.querySelector(".row[data-message]")?.focus();
    else if ((event.key === "Enter" || event.key === "Tab") && at >= 0) take(at);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  box.addEventListener("blur", () => offer([]));
  const form = h("form", { class: "search", role: "search" }, box, names);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    offer([]);
    run(false);
  });
  fill(pane, title("Search"), form, said, results);
  box.focus();
  if (box.value) run(false);
  else hint();

  function hint() {
    const use = (text) => {
      box.value = `${box.value} ${text}`.trim();
      box.focus();
      if (!text.endsWith(":")) run(false);
    };
    fill(
      results,
      empty("Find mail by its words or by what it is about", "The best matches of both come first."),
      h("dl", { class: "operators", "aria-label": "What narrows a search" }, OPERATORS.map(([text, about]) => [h("dt", {}, h("button", { type: "button", on: { click: () => use(text) } }, text)), h("dd", {}, about)])),
    );
  }

  async function run(typing) {
    const q = box.value.trim();
    running?.abort();
    running = new AbortController();
    // Replacing, without a hashchange: a search while typing is one place in the history, and the box keeps its focus.
    history.replaceState(null, "", changed({ q: q || null }));
    window.dispatchEvent(new Event("place"));
    if (!q) {
      hint();
      return;
    }
    if (!results.querySelector(".row")) fill(results, skeleton(4));
    try {
      const query = { q, typing: typing ? "true" : null, limit: 30, zone: Intl.DateTimeFormat().resolvedOptions().timeZone };
      draw(await get("/v1/search", query, running.signal), query);
    } catch (error) {
      if (error.name !== "AbortError") fill(results, failure(error, () => run(typing)));
    }
  }

  function draw(found, query) {
    const list = h("ul", { class: "rows", "aria-label": "Matches" }, found.items.map(match));
    fill(
      results,
      (found.notes || []).map((note) => h("p", { class: "window" }, note)),
      found.why_not ? h("p", { class: "window", title: found.why_not }, "By words only: no encoder is loaded.") : null,
      found.items.length ? list : empty("Nothing found", "Try fewer or other words, or take an operator away."),
      more(list, found.next_cursor, query),
    );
    fill(said, plural(found.items.length, "match", "matches"));
    markOpen(pane);
  }

  function more(list, cursor, query) {
    if (!cursor) return null;
    const button = act("Show more", async () => {
      const page = await get("/v1/search", { ...query, cursor });
      list.append(...page.items.map(match));
      markOpen(pane);
      button.replaceWith(more(list, page.next_cursor, query) || "");
    }, { class: "more" });
    return button;
  }

  async function suggest() {
    const typed = box.value;
    if (typed.trim().length < 2 || document.activeElement !== box) {
      offer([]);
      return;
    }
    try {
      const { items } = await get("/v1/search/suggest", { q: typed, limit: 4 });
      if (box.value === typed && document.activeElement === box) offer(items);
    } catch {
      offer([]);
    }
  }

  function offer(items) {
    offered = items;
    at = -1;
    names.hidden = !items.length;
    box.setAttribute("aria-expanded", String(items.length > 0));
    box.removeAttribute("aria-activedescendant");
    fill(names, items.map((each, index) =>
      h("li", { id: `suggestion-${index}`, role: "option", "aria-selected": "false", on: { pointerdown: (event) => (event.preventDefault(), take(index)) } }, h("span", { class: "palette-kind" }, SUGGESTED[each.kind] || ""), h("span", {}, each.label, each.detail ? h("span", { class: "muted" }, ` ${each.detail}`) : null))));
  }

  function point(index) {
    names.children[at]?.setAttribute("aria-selected", "false");
    at = (index + offered.length) % offered.length;
    names.children[at].setAttribute("aria-selected", "true");
    box.setAttribute("aria-activedescendant", `suggestion-${at}`);
  }

  function take(index) {
    box.value = offered[index].text;
    offer([]);
    box.focus();
    run(true);
  }
}

function match(item) {
  return h(
    "li",
    {},
    h(
      "a",
      { class: "row", href: changed({ m: item.message_id }), data: { message: item.message_id } },
      score(item.priority),
      h(
        "span",
        { class: "row-body" },
        h("span", { class: "row-top" }, h("span", { class: "from" }, sender(item.from)), h("time", { datetime: item.received_at, title: fullTime(item.received_at) }, when(item.received_at))),
        h("span", { class: "subject" }, item.subject || "(no subject)"),
        h("span", { class: "snippet two" }, marked(item.snippet.text, item.snippet.matches)),
        h("span", { class: "row-why" }, !item.matched_by.includes("meaning") || item.matched_by.includes("words") ? null : h("span", { class: "reason" }, hidden("Matched "), "by meaning"), chips(item)),
      ),
    ),
  );
}
