// People, the strongest relationship first.

import { bar, empty, fill, h, hidden, title } from "./dom.js";
import { number, when } from "./format.js";
import { readPages } from "./paging.js";
import { link } from "./route.js";

const HOW = {
  organization: "one name at one organization",
  answered_from: "answered from the other address",
  names_itself: "names the other address",
  phone: "the same phone number",
  spelling: "the address spells the name",
  nickname: "two forms of one name at one organization",
  same_mailbox: "two spellings of one mailbox",
};

export function show(pane) {
  const list = h("ul", { class: "cards", "aria-label": "People" });
  const foot = h("div", { class: "list-foot" });
  fill(pane, title("People"), list, foot);
  readPages({
    path: "/v1/people",
    list,
    foot,
    draw: (into, page) => into.append(...page.items.map(card)),
    none: () => empty("Nobody yet", "People appear once mail has been ranked."),
  });
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
        person.merged_by.length ? h("span", { class: "muted small" }, `One person: ${[...new Set(person.merged_by.map((link) => HOW[link.how] || link.how))].join(", ")}`) : null,
        h("span", { class: "strength" }, hidden(`Strength ${Math.round(person.strength * 100)} of 100`), bar(person.strength)),
      ),
    ),
  );
}

function initials(person) {
  const letters = (person.name || person.addresses[0] || "?").split(/[\s.@_-]+/).filter(Boolean);
  return letters.slice(0, 2).map((word) => [...word][0].toUpperCase()).join("");
}
