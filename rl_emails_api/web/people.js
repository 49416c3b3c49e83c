// People, the strongest relationship first.

import { get } from "./api.js";
import { bar, empty, failure, fill, h, hidden, skeleton, title } from "./dom.js";
import { number, when } from "./format.js";
import { link } from "./route.js";

export function show(pane) {
  const list = h("ul", { class: "cards", "aria-label": "People" });
  const foot = h("div", { class: "list-foot" });
  fill(pane, title("People"), list, foot);
  load(null);

  async function load(cursor) {
    fill(foot, skeleton(cursor ? 1 : 5));
    try {
      const page = await get("/v1/people", { cursor, limit: 60 });
      for (const item of page.items) list.append(card(item));
      if (page.next_cursor) fill(foot, h("button", { type: "button", class: "more", on: { click: () => load(page.next_cursor) } }, "Show more"));
      else fill(foot, list.children.length ? null : empty("Nobody yet", "People appear once mail has been ranked."));
    } catch (error) {
      fill(foot, failure(error, () => load(cursor)));
    }
  }
}

function card(person) {
  const role = [person.title, person.organization].filter(Boolean).join(", ");
  return h(
    "li",
    {},
    h(
      "a",
      { class: "card row-like person", href: link("search", { q: person.addresses[0] || person.name }), title: "Search their mail" },
      h("span", { class: "avatar", "aria-hidden": "true" }, initials(person)),
      h(
        "span",
        { class: "person-body" },
        h("span", { class: "card-top" }, h("strong", {}, person.name || person.addresses[0]), h("time", { datetime: person.last_at }, when(person.last_at))),
        h("span", { class: "muted" }, person.addresses.slice(0, 3).join(", ")),
        role || person.phone ? h("span", {}, [role, person.phone].filter(Boolean).join(" · ")) : null,
        h("span", { class: "muted small" }, `${number(person.received_count)} from them, ${number(person.sent_count)} from you`),
        h("span", { class: "strength" }, hidden(`Strength ${Math.round(person.strength * 100)} of 100`), bar(person.strength)),
      ),
    ),
  );
}

function initials(person) {
  const letters = (person.name || person.addresses[0] || "?").split(/[\s.@_-]+/).filter(Boolean);
  return letters.slice(0, 2).map((word) => [...word][0].toUpperCase()).join("");
}
