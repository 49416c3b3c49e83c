// Status: how far each mailbox is, what could not be stored, the queue, and the runs.

import { get, post } from "./api.js";
import { bar, empty, failure, fill, h, skeleton, title, toast } from "./dom.js";
import { fullTime, number, plural } from "./format.js";

const moment = (iso) => (iso ? h("time", { datetime: iso }, fullTime(iso)) : "never");

export async function show(pane) {
  fill(pane, title("Status"), skeleton(5));
  let status;
  try {
    status = await get("/v1/admin/status");
  } catch (error) {
    fill(pane, title("Status"), failure(error, () => show(pane)));
    return;
  }
  const addresses = Object.fromEntries(status.mailboxes.map((each) => [each.mailbox_id, each.address]));
  const outside = { target: "_blank", rel: "noopener noreferrer" };
  const run = (row) => (row.run_url ? h("a", { href: row.run_url, ...outside }, row.run_id.slice(0, 8)) : "–");
  fill(
    pane,
    title("Status", h("button", { type: "button", on: { click: () => show(pane) } }, "Refresh")),
    h("p", { class: "window" }, `rl-emails ${status.version}. The graph, its checks and backfills are in the `, h("a", { href: status.dagster_url, ...outside }, "Dagster UI"), "."),
    status.mailboxes.length ? status.mailboxes.map((each) => mailbox(each, pane)) : empty("No mailbox yet", "Import one with rl-emails import."),
    h("h2", {}, "Queue"),
    queue(status.queue),
    table(
      "Latest sync requests",
      ["Asked", "Mailbox", "By", "State", "Tries", "Run", "Error"],
      status.queue.requests.map((each) => [moment(each.created_at), addresses[each.mailbox_id], each.asked_by, state(each.state), each.attempts, run(each), each.error || ""]),
    ),
    h("h2", {}, "Runs"),
    table(
      "Latest runs by what they wrote",
      ["Last row", "Run", "Mailbox", "Rows", "Groups"],
      status.runs.map((each) => [moment(each.last_at), run(each), addresses[each.mailbox_id], number(each.row_count), each.steps.join(", ")]),
    ),
  );
}

const state = (name) => h("span", { class: `chip ${name === "failed" ? "urgent" : ""}` }, name);

function queue(data) {
  if (!data.states.length) return h("p", {}, "Nothing waits.");
  return h(
    "p",
    {},
    data.states.map((each) => [state(`${each.state}: ${number(each.request_count)}`), " "]),
    data.oldest_waiting_at ? ["The oldest waits since ", moment(data.oldest_waiting_at), "."] : null,
  );
}

function mailbox(data, pane) {
  const stored = data.stored_count;
  // Folder copies are parsed and end there.
  const own = stored - data.duplicate_count;
  const steps = [
    ["Stored", stored, stored],
    ["Parsed", data.parsed_count, stored],
    ["Embedded", data.embedded_count, own],
    ["Classified", data.classified_count, own],
    ["Ranked", data.ranked_count, own],
  ];
  const sync = h("button", { type: "button" }, "Sync now");
  sync.addEventListener("click", async () => {
    sync.disabled = true;
    try {
      await post(`/v1/mailboxes/${data.mailbox_id}/sync`);
      toast("In the queue. A run takes it within seconds.");
      await show(pane);
    } catch (error) {
      sync.disabled = false;
      toast(error.message, "bad");
    }
  });
  return h(
    "section",
    { class: "card", "aria-label": data.address },
    h("div", { class: "card-top" }, h("h2", {}, data.address), sync),
    h("dl", { class: "steps" }, steps.map(([name, count, most]) => h("div", {}, h("dt", {}, name), h("dd", {}, number(count)), bar(count / Math.max(1, most))))),
    h(
      "p",
      { class: "muted" },
      "Synced ",
      moment(data.synced_at),
      "; ranked ",
      moment(data.materialized_at),
      ". ",
      data.pending_count ? `${plural(data.pending_count, "message")} pending` : "Nothing pending",
      data.oldest_pending_at ? [", the oldest stored ", moment(data.oldest_pending_at)] : null,
      data.duplicate_count ? `; ${plural(data.duplicate_count, "folder copy", "folder copies")}` : "",
      ".",
    ),
    data.gap_count
      ? h(
          "details",
          { class: "fold" },
          h("summary", {}, `${plural(data.gap_count, "gap")}: known messages that could not be stored`),
          h("ul", {}, data.gaps.map((gap) => h("li", {}, h("code", {}, gap.provider_message_id), ` ${gap.reason} `, h("span", { class: "muted" }, `${gap.source}, ${plural(gap.attempts, "attempt")}`)))),
        )
      : h("p", { class: "good" }, "No gaps: every message that is known is stored."),
  );
}

function table(caption, heads, rows) {
  if (!rows.length) return h("p", { class: "muted" }, "None yet.");
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h(
      "table",
      { class: "plain-table" },
      h("caption", { class: "vh" }, caption),
      h("thead", {}, h("tr", {}, heads.map((text) => h("th", { scope: "col" }, text)))),
      h("tbody", {}, rows.map((cells) => h("tr", {}, cells.map((cell) => h("td", {}, cell))))),
    ),
  );
}
