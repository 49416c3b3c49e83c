// Search as you type, by words and by meaning.

import { get } from "./api.js";
import { empty, failure, fill, h, hidden, score, skeleton, title } from "./dom.js";
import { fullTime, sender, when } from "./format.js";
import { chips, markOpen } from "./inbox.js";
import { changed } from "./route.js";

const WAIT = 180;

export function show(pane, params) {
  const results = h("div", { class: "results", "aria-live": "polite" });
  const box = h("input", {
    type: "search",
    id: "query",
    value: params.get("q") || "",
    placeholder: 'Words, "a phrase", -without',
    "aria-label": "Search mail",
    autocomplete: "off",
    spellcheck: "false",
    maxlength: 500,
  });
  let timer;
  let running;
  box.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => run(true), WAIT);
  });
  const form = h("form", { class: "search", role: "search" }, box);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    run(false);
  });
  fill(pane, title("Search"), form, results);
  box.focus();
  if (box.value) run(false);
  else hint();

  function hint() {
    fill(results, empty("Find mail by its words or by what it is about", "The best matches of both come first."));
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
      const found = await get("/v1/search", { q, typing: typing ? "true" : null, limit: 30 }, running.signal);
      draw(found);
    } catch (error) {
      if (error.name !== "AbortError") fill(results, failure(error, () => run(typing)));
    }
  }

  function draw(found) {
    fill(
      results,
      found.is_by_meaning ? null : h("p", { class: "window", title: found.why_not }, "By words only: no encoder is loaded."),
      found.items.length ? h("ul", { class: "rows", "aria-label": "Matches" }, found.items.map(match)) : empty("Nothing found", "Try fewer or other words."),
    );
    markOpen(pane);
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
        h("span", { class: "snippet two" }, item.snippet.map((part) => (part.is_match ? h("mark", {}, part.text) : part.text))),
        h("span", { class: "row-why" }, chips(item), item.matched_by.includes("words") ? null : h("span", { class: "reason" }, hidden("Matched "), "by meaning")),
      ),
    ),
  );
}
