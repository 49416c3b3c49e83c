// The priority inbox: what needs the owner, by what it needs, in order of importance, with the reason for each place.

import { run } from "./actions.js";
import { chosen, get } from "./api.js";
import { choice, empty, failure, fill, h, pick, skeleton, title } from "./dom.js";
import { CATEGORIES, NEEDS, plural, shortDate } from "./format.js";
import { readPages } from "./paging.js";
import { changed, go } from "./route.js";
import { markOpen, row } from "./rows.js";
import * as selection from "./selection.js";

const PERIODS = [["7", "7 days"], ["30", "30 days"], ["all", "All"]];
const ORDERS = [["", "By need"], ["priority", "By priority"], ["date", "By date"]];
const STATES = [["", "Open"], ["snoozed", "Snoozed"], ["done", "Done"], ["all", "Everything"]];
const SECTIONS = [["reply", "Reply", 25], ["decision", "Decide", 25], ["task", "Do", 25], ["read", "Read", 15], ["nothing", "Everything else", 10]];
const FOLDED = "rl-emails folded";
const DAY = 86400000;

export function show(pane, params) {
  const one = (name, options, none) => (options.some(([value]) => value === params.get(name)) ? params.get(name) : none);
  const period = one("period", PERIODS, "30");
  const state = one("state", STATES, "");
  const order = one("order", ORDERS, "") || (state ? "date" : "");
  const isByNeed = !order && !params.get("needs");
  const newest = () => (chosen.mailbox?.newest_at ? new Date(chosen.mailbox.newest_at) : null);
  const since = () => (period === "all" || !newest() ? null : new Date(newest().getTime() - Number(period) * DAY));
  const place = {
    params, period, order, state, since, newest, isByNeed,
    note: h("p", { class: "window" }),
    pending: h("p", { class: "pending", hidden: true }),
    query: () => ({
      since: since()?.toISOString(),
      unread: params.get("unread") ? "true" : null,
      category: params.get("category"),
      needs: params.get("needs"),
      state: state || null,
      order: order || "priority",
    }),
  };
  const content = h("div", { class: "sections" });
  selection.clear();
  fill(pane, title("Inbox", filtersToggle(params), unreadToggle(params), pick("View", ORDERS, order, (value) => go(changed({ order: value || null, needs: null, m: null }))), pick("State", STATES, state, (value) => go(changed({ state: value || null, m: null })))), selection.bar(run), filters(params, period), place.note, place.pending, content);
  if (isByNeed) byNeed(content, place);
  else flat(content, place);
}

function flat(content, place) {
  const list = h("ul", { class: "rows", "aria-label": "Messages" });
  const foot = h("div", { class: "list-foot" });
  fill(content, list, foot);
  readPages({
    path: "/v1/inbox",
    query: () => ({ ...place.query(), limit: 40 }),
    list,
    foot,
    draw(into, page, isFirst) {
      draw(into, page);
      if (isFirst) tell(place, page);
    },
    none: () => nothing(place),
    end: () => ending(place),
    counted: selection.prune,
  });
}

function draw(into, page, options) {
  for (const item of page.items) into.append(row(item, options));
  markOpen(into.isConnected ? document.getElementById("list-pane") : into);
}

// Five listings in one pane. Each is read on in its own place; the last is folded, for it needs nothing.
async function byNeed(content, place) {
  fill(content, skeleton());
  const query = (needs, limit) => ({ ...place.query(), needs, limit });
  let firsts;
  try {
    firsts = await Promise.all(SECTIONS.map(([needs, , limit]) => get("/v1/inbox", query(needs, limit))));
  } catch (error) {
    fill(content, failure(error, () => byNeed(content, place)));
    return;
  }
  const counts = {};
  const foot = h("div", { class: "list-foot" });
  const sum = () => {
    const waiting = SECTIONS.slice(0, -1).reduce((total, [needs]) => total + (counts[needs] || 0), 0);
    if (waiting || counts.nothing === undefined) fill(foot, counts.nothing === undefined ? null : ending(place));
    else fill(foot, counts.nothing && !isFiltered(place.params) ? [caughtUp(), ending(place)] : counts.nothing ? ending(place) : nothing(place));
  };
  tell(place, firsts[0]);
  const sections = SECTIONS.map(([needs, name, limit], index) =>
    section(needs, name, { first: firsts[index], query: () => query(needs, limit), counted: (count) => ((counts[needs] = count), sum()) }),
  );
  fill(content, sections, foot);
  markOpen(document.getElementById("list-pane"));
}

const folded = () => new Set((localStorage.getItem(FOLDED) ?? "nothing").split(" "));

function section(needs, name, { first, query, counted }) {
  const list = h("ul", { class: "rows", id: `need-${needs}`, "aria-label": name });
  const foot = h("div", { class: "section-foot" });
  const count = h("span", { class: "count" });
  const isOpen = !folded().has(needs);
  const inside = h("div", { hidden: !isOpen }, list, foot);
  const head = h("button", { type: "button", class: "fold-button", "aria-expanded": String(isOpen), "aria-controls": `need-${needs}` }, name, " ", count);
  head.addEventListener("click", () => {
    inside.hidden = !inside.hidden;
    head.setAttribute("aria-expanded", String(!inside.hidden));
    const kept = folded();
    if (inside.hidden) kept.add(needs);
    else kept.delete(needs);
    localStorage.setItem(FOLDED, [...kept].join(" "));
    markOpen(document.getElementById("list-pane"));
  });
  const node = h("section", { class: "need", data: { needs }, "aria-label": name }, h("h2", {}, head), inside);
  readPages({
    path: "/v1/inbox",
    query,
    list,
    foot,
    first,
    draw: (into, page) => draw(into, page, { isInSection: true }),
    none: () => null,
    counted(total, isMore) {
      const unread = list.querySelectorAll(".row.unread").length;
      node.hidden = !total;
      fill(count, `${total}${isMore ? "+" : ""}`, unread ? h("span", { class: "unread-count" }, ` ${unread} unread`) : null);
      selection.prune();
      counted(total);
    },
  });
  return node;
}

function tell(place, page) {
  fill(place.note, windowNote(place));
  place.pending.hidden = !page.pending_count || Boolean(place.state);
  if (place.pending.hidden) return;
  fill(
    place.pending,
    `${plural(page.pending_count, "message")} stored, not ranked yet. `,
    place.order === "date" ? "They have no score here." : h("a", { href: changed({ order: "date", m: null }) }, "See by date"),
  );
}

const allTime = () => h("a", { href: changed({ period: "all", m: null }) }, "Show all");
const caughtUp = () => h("div", { class: "empty" }, h("p", { class: "empty-title" }, "Nothing waits for you"), h("p", {}, "Everything that needed you is done. What needs nothing is above, folded."));

function windowNote({ period, since, newest }) {
  if (!newest()) return "";
  if (!since()) return "All mail of this mailbox.";
  return [`Only the ${period} days up to the newest message, ${shortDate(newest())}. `, allTime()];
}

const ending = ({ period, since }) => h("p", { class: "end" }, period === "all" ? "That is all of it." : `That is everything of these ${period} days. `, since() ? allTime() : null);

const isFiltered = (params) => params.get("unread") || params.get("category") || params.get("needs");

function nothing({ params, period, state }) {
  if (isFiltered(params)) {
    const clear = changed({ unread: null, category: null, needs: null, m: null });
    return empty("Nothing matches these filters", h("a", { href: clear }, "Clear the filters"));
  }
  if (state === "snoozed") return empty("Nothing is snoozed", "h on a message puts it away until a time you choose.");
  if (state === "done") return empty("Nothing is done yet", "e on a message takes it out of the inbox. It is kept here, and at the provider.");
  if (chosen.mailbox.provider !== "files" && !chosen.mailbox.newest_at) return empty("No mail yet", "The newest comes first, and appears here by itself.");
  if (period !== "all" && chosen.mailbox.newest_at) return empty("Nothing came in this window", allTime());
  return empty("No mail yet", "Import some with ", h("code", {}, "rl-emails import PATH --mailbox ADDRESS"), ".");
}

const unreadToggle = (params) =>
  h("button", { type: "button", class: "toggle", "aria-pressed": params.get("unread") ? "true" : "false", on: { click: () => go(changed({ unread: params.get("unread") ? null : "1", m: null })) } }, "Unread");

// On a phone the filters fold away, unless one of them is set.
function filtersToggle(params) {
  const button = h("button", { type: "button", class: "filters-toggle", "aria-expanded": String(isNarrowed(params)), "aria-controls": "filters" }, "Filter");
  button.addEventListener("click", () => button.setAttribute("aria-expanded", String(document.getElementById("filters").classList.toggle("is-open"))));
  return button;
}

const isNarrowed = (params) => ["period", "category", "needs"].some((name) => params.get(name));

function filters(params, period) {
  const any = (name, label, options) => pick(label, [["", label], ...Object.entries(options)], params.get(name) || "", (value) => go(changed({ [name]: value || null, m: null })));
  return h(
    "div",
    { class: `filters ${isNarrowed(params) ? "is-open" : ""}`, id: "filters" },
    choice("Period", PERIODS, period, (value) => go(changed({ period: value === "30" ? null : value, m: null }))),
    any("category", "Category", CATEGORIES),
    any("needs", "Needs", NEEDS),
  );
}
