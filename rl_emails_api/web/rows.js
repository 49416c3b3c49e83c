// A message as a line of a list, and moving through such lines: one of them at a time is in the order of Tab.

import { h, hidden, icon, score } from "./dom.js";
import { CATEGORIES, NEEDS, URGENCY, fullTime, plural, sender, when } from "./format.js";
import { changed, current } from "./route.js";
import * as selection from "./selection.js";

const SHORT = { reply: "Reply", decision: "Decide", task: "Do" };

export function chips(item, { isInSection = false } = {}) {
  const category = item.corrections?.category || item.category;
  return [
    item.corrections?.importance === "important" ? h("span", { class: "chip mine" }, "You: important") : null,
    item.corrections?.importance === "not_important" ? h("span", { class: "chip mine" }, "You: not important") : null,
    !isInSection && item.needs && SHORT[item.needs] ? h("span", { class: "chip", title: NEEDS[item.needs] }, SHORT[item.needs]) : null,
    item.urgency && ["now", "today"].includes(item.urgency) ? h("span", { class: "chip urgent" }, URGENCY[item.urgency]) : null,
    item.snoozed_until ? h("span", { class: "chip" }, `Until ${when(item.snoozed_until)}`) : null,
    category && category !== "person" ? h("span", { class: `chip ${category === "suspicious" ? "urgent" : ""}` }, CATEGORIES[category]) : null,
    item.task_count ? h("span", { class: "chip" }, plural(item.task_count, "task")) : null,
  ];
}

// A line of the inbox. Beside the link to the message: a box to select it, and what can be done without opening it.
export function row(item, options = {}) {
  const reason = item.reasons?.[0];
  const subject = item.subject || "(no subject)";
  const kinds = ["row", item.is_unread && "unread", item.is_starred && "starred", item.is_done && "is-done"].filter(Boolean).join(" ");
  return h(
    "li",
    { class: "item" },
    h(
      "a",
      { class: kinds, tabindex: "-1", href: changed({ m: item.message_id }), data: { message: item.message_id, until: item.snoozed_until || undefined } },
      score(item.priority),
      h(
        "span",
        { class: "row-body" },
        h(
          "span",
          { class: "row-top" },
          h("span", { class: "from" }, item.is_unread ? hidden("Unread, ") : null, sender(item.from)),
          h("span", { class: "star", "aria-hidden": "true" }, "★"),
          item.has_attachments ? [icon("clip"), hidden("has attachments")] : null,
          h("time", { datetime: item.received_at, title: fullTime(item.received_at) }, when(item.received_at)),
        ),
        h("span", { class: "row-line" }, h("span", { class: "subject" }, subject), h("span", { class: "snippet" }, item.snippet)),
        h("span", { class: "row-why" }, reason ? h("span", { class: "reason" }, reason) : null, chips(item, options)),
      ),
    ),
    h("button", { type: "button", class: "pick", role: "checkbox", tabindex: "-1", "aria-checked": selection.has(item.message_id) ? "true" : "false", "aria-label": `Select: ${subject}`, data: { pick: item.message_id } }),
    h(
      "span",
      { class: "quick" },
      quick("done", item.is_done ? "Open again" : "Done", subject, "e"),
      quick("snooze", item.snoozed_until ? "Wake" : "Snooze", subject, "h"),
    ),
  );
}

const quick = (action, text, subject, key) =>
  h("button", { type: "button", tabindex: "-1", title: `${text} (${key})`, "aria-label": `${text}: ${subject}`, data: { quick: action } }, icon(action));

// Marks the message that is open, and keeps the links to the place they are shown in.
export function markOpen(pane) {
  const open = current().params.get("m");
  for (const node of pane.querySelectorAll(".row[data-message]")) {
    if (node.dataset.message === open) node.setAttribute("aria-current", "true");
    else node.removeAttribute("aria-current");
    node.setAttribute("href", changed({ m: node.dataset.message }));
  }
  rove(pane);
}

export const rowsOf = (pane) => [...pane.querySelectorAll(".row[data-message]")].filter((each) => each.checkVisibility());
export const rowFor = (id) => document.querySelector(`#list-pane .row[data-message="${CSS.escape(id)}"]`);

// Exactly one line takes the focus by Tab: the one that had it last, else the one that is open, else the first.
export function rove(pane, to = null) {
  const rows = [...pane.querySelectorAll(".row[data-message]")];
  const held = to || rows.find((each) => each.tabIndex === 0 && each.checkVisibility()) || rows.find((each) => each.matches("[aria-current]")) || rows.find((each) => each.checkVisibility()) || rows[0];
  for (const each of rows) each.tabIndex = each === held || each.classList.contains("plain") ? 0 : -1;
}

// The line from which a step is counted: the open message's, else the one with the focus.
function standing(rows) {
  const open = current().params.get("m");
  const at = open ? rows.findIndex((each) => each.dataset.message === open) : -1;
  return at >= 0 ? at : rows.indexOf(document.activeElement);
}

export function step(pane, by) {
  const rows = rowsOf(pane);
  if (!rows.length) return false;
  const at = standing(rows);
  const next = rows[Math.max(0, Math.min(rows.length - 1, at + by))];
  if (at + by >= rows.length) [...pane.querySelectorAll(".more")].at(-1)?.click();
  goTo(pane, next);
  return true;
}

function goTo(pane, next) {
  next.scrollIntoView({ block: "nearest" });
  rove(pane, next);
  if (current().params.get("m")) next.click();
  else next.focus();
}

export function stepSection(pane, by) {
  const firsts = [...pane.querySelectorAll("section.need, .task-groups > section")].map((each) => rowsOf(each)[0]).filter(Boolean);
  if (!firsts.length) return false;
  const rows = rowsOf(pane);
  const at = standing(rows);
  const places = firsts.map((each) => rows.indexOf(each));
  const next = by > 0 ? places.find((place) => place > at) : places.findLast((place) => place < at);
  if (next === undefined) return true;
  goTo(pane, rows[next]);
  return true;
}

// Where to go when these leave the list: the next line that stays, else the one before.
export function neighbour(pane, ids) {
  const rows = rowsOf(pane);
  const gone = new Set(ids);
  const last = rows.findLastIndex((each) => gone.has(each.dataset.message));
  return rows.slice(last + 1).find((each) => !gone.has(each.dataset.message)) || rows.slice(0, Math.max(0, last)).findLast((each) => !gone.has(each.dataset.message)) || null;
}
