// The priority inbox: a list in order of importance, with the reason for each place.

import { chosen } from "./api.js";
import { choice, empty, fill, h, hidden, icon, score, title } from "./dom.js";
import { CATEGORIES, NEEDS, URGENCY, fullTime, plural, shortDate, sender, when } from "./format.js";
import { readPages } from "./paging.js";
import { changed, go } from "./route.js";

const PERIODS = [["7", "7 days"], ["30", "30 days"], ["all", "All"]];
const SHORT = { reply: "Reply", decision: "Decide", task: "Do" };
const DAY = 86400000;

export function show(pane, params) {
  const period = PERIODS.some(([value]) => value === params.get("period")) ? params.get("period") : "30";
  const order = params.get("order") === "date" ? "date" : "priority";
  const newest = () => (chosen.mailbox?.newest_at ? new Date(chosen.mailbox.newest_at) : null);
  const since = () => (period === "all" || !newest() ? null : new Date(newest().getTime() - Number(period) * DAY));
  const query = () => ({
    since: since()?.toISOString(),
    unread: params.get("unread") ? "true" : null,
    category: params.get("category"),
    needs: params.get("needs"),
    order,
    limit: 40,
  });
  const list = h("ul", { class: "rows", "aria-label": "Messages" });
  const foot = h("div", { class: "list-foot" });
  const note = h("p", { class: "window" });
  const pending = h("p", { class: "pending", hidden: true });
  fill(pane, title("Inbox", unreadToggle(params), orderChoice(order)), filters(params, period), note, pending, list, foot);
  readPages({
    path: "/v1/inbox",
    query,
    list,
    foot,
    draw(into, page, isFirst) {
      for (const item of page.items) into.append(row(item));
      markOpen(into);
      if (!isFirst) return;
      fill(note, windowNote(period, since(), newest()));
      showPending(pending, page.pending_count, order);
    },
    none: () => nothing(params, period),
    end: () => h("p", { class: "end" }, endNote(period), since() ? allTime() : null),
  });
}

const allTime = () => h("a", { href: changed({ period: "all", m: null }) }, "Show all");

function windowNote(period, since, newest) {
  if (!newest) return "";
  if (!since) return "All mail of this mailbox.";
  return [
    `Only the ${period} days up to the newest message, ${shortDate(newest)}. `,
    allTime(),
  ];
}

const endNote = (period) => (period === "all" ? "That is all of it." : `That is everything of these ${period} days. `);

function nothing(params, period) {
  const filtered = params.get("unread") || params.get("category") || params.get("needs");
  if (filtered) {
    const clear = changed({ unread: null, category: null, needs: null, m: null });
    return empty("Nothing matches these filters", h("a", { href: clear }, "Clear the filters"));
  }
  if (chosen.mailbox.provider !== "files" && !chosen.mailbox.newest_at) return empty("No mail yet", "The newest comes first, and appears here by itself.");
  if (period !== "all" && chosen.mailbox.newest_at) return empty("Nothing came in this window", allTime());
  return empty("No mail yet", "Import some with ", h("code", {}, "rl-emails import PATH --mailbox ADDRESS"), ".");
}

function showPending(node, count, order) {
  node.hidden = !count;
  if (!count) return;
  fill(
    node,
    `${plural(count, "message")} stored, not ranked yet. `,
    order === "date" ? "They have no score here." : h("a", { href: changed({ order: "date", m: null }) }, "See by date"),
  );
}

const orderChoice = (order) =>
  choice("Order", [["priority", "Priority"], ["date", "Date"]], order, (value) => go(changed({ order: value === "date" ? value : null, m: null })));

const unreadToggle = (params) =>
  h(
    "button",
    {
      type: "button",
      class: "toggle",
      "aria-pressed": params.get("unread") ? "true" : "false",
      on: { click: () => go(changed({ unread: params.get("unread") ? null : "1", m: null })) },
    },
    "Unread",
  );

function filters(params, period) {
  const pick = (name, label, options) =>
    h(
      "select",
      { "aria-label": label, on: { change: (event) => go(changed({ [name]: event.target.value || null, m: null })) } },
      h("option", { value: "" }, label),
      Object.entries(options).map(([value, text]) => h("option", { value, selected: params.get(name) === value }, text)),
    );
  return h(
    "div",
    { class: "filters" },
    choice("Period", PERIODS, period, (value) => go(changed({ period: value === "30" ? null : value, m: null }))),
    pick("category", "Category", CATEGORIES),
    pick("needs", "Needs", NEEDS),
  );
}

export function chips(item) {
  const category = item.corrections?.category || item.category;
  return [
    item.corrections?.importance === "important" ? h("span", { class: "chip mine" }, "You: important") : null,
    item.corrections?.importance === "not_important" ? h("span", { class: "chip mine" }, "You: not important") : null,
    item.needs && !["nothing", "read"].includes(item.needs) ? h("span", { class: `chip needs-${item.needs}`, title: NEEDS[item.needs] }, SHORT[item.needs]) : null,
    item.urgency && ["now", "today"].includes(item.urgency) ? h("span", { class: "chip urgent" }, URGENCY[item.urgency]) : null,
    category && category !== "person" ? h("span", { class: `chip ${category === "suspicious" ? "urgent" : ""}` }, CATEGORIES[category]) : null,
    item.task_count ? h("span", { class: "chip" }, plural(item.task_count, "task")) : null,
  ];
}

export function row(item) {
  const reason = item.reasons?.[0];
  return h(
    "li",
    {},
    h(
      "a",
      { class: `row ${item.is_unread ? "unread" : ""}`, href: changed({ m: item.message_id }), data: { message: item.message_id } },
      score(item.priority),
      h(
        "span",
        { class: "row-body" },
        h(
          "span",
          { class: "row-top" },
          h("span", { class: "from" }, item.is_unread ? hidden("Unread, ") : null, sender(item.from)),
          item.has_attachments ? [icon("clip"), hidden("has attachments")] : null,
          h("time", { datetime: item.received_at, title: fullTime(item.received_at) }, when(item.received_at)),
        ),
        h("span", { class: "subject" }, item.subject || "(no subject)"),
        h("span", { class: "row-why" }, chips(item), reason ? h("span", { class: "reason" }, reason) : null),
        h("span", { class: "snippet" }, item.snippet),
      ),
    ),
  );
}

export function markOpen(pane) {
  const open = new URLSearchParams(location.hash.split("?")[1] || "").get("m");
  for (const node of pane.querySelectorAll(".row[data-message]")) {
    if (node.dataset.message === open) node.setAttribute("aria-current", "true");
    else node.removeAttribute("aria-current");
    node.setAttribute("href", changed({ m: node.dataset.message }));
  }
}
