// The administrator's page: everything /v1/admin/status tells, kept up to date without flicker.

import { get, post } from "./api.js";
import { add, bar, empty, failure, fill, h, skeleton, toast } from "./dom.js";
import { FRESHNESS, ago, fullTime, number, plural, span, words } from "./format.js";
import { replaceWith } from "./keep.js";

const EVERY = 5000;
const OUTSIDE = { target: "_blank", rel: "noopener noreferrer" };
const content = document.getElementById("content");
const trouble = document.getElementById("trouble");
let timer = 0;
let isFirst = true;

const moment = (iso, none = "never") => (iso ? h("time", { datetime: iso, title: fullTime(iso) }, ago(iso)) : none);
const runLink = (row) => (row.run_url ? h("a", { href: row.run_url, ...OUTSIDE }, `run ${row.run_id.slice(0, 8)}`) : "–");
const chip = (text, kind = "") => h("span", { class: `chip ${kind}` }, text);

async function refresh() {
  clearTimeout(timer);
  try {
    draw(await get("/v1/admin/status"));
    trouble.hidden = true;
    isFirst = false;
  } catch (error) {
    if (isFirst) fill(content, failure(error, refresh));
    else {
      trouble.textContent = `What is shown may be old. ${error.message}`;
      trouble.hidden = false;
    }
  }
  if (!document.hidden) timer = setTimeout(refresh, EVERY);
}

function draw(status) {
  const addresses = Object.fromEntries(status.mailboxes.map((each) => [each.mailbox_id, each.address]));
  fill(document.getElementById("outside"), h("a", { href: status.dagster_url, ...OUTSIDE }, "Dagster UI"));
  fill(document.getElementById("asked"), `rl-emails ${status.version}, as of ${new Date(status.asked_at).toLocaleTimeString()}`);
  const made = h("div");
  add(made, [
    signs(status),
    section("mailboxes", "Mailboxes", status.mailboxes.length ? status.mailboxes.map(mailbox) : empty("No mailbox yet", "Import one with rl-emails import, or connect Gmail on the inbox page.")),
    section("dead-letters", "Dead letters", letters(status, addresses)),
    section("queue", "Queue", queue(status.queue, addresses)),
    section("pushes", "Pushes", pushes(status)),
    section("schedules", "Schedules", schedules(status.upkeep)),
    section("workers", "Workers", workers(status.workers)),
    section("costs", "Costs", costs(status, addresses)),
    section("runs", "Runs", runs(status, addresses)),
  ]);
  replaceWith(content, made);
}

const section = (id, name, ...inside) => h("section", { data: { key: id }, "aria-labelledby": `h-${id}` }, h("h2", { id: `h-${id}` }, name), inside);

function signs(status) {
  const count = (state) => status.queue.states.find((each) => each.state === state)?.request_count || 0;
  const gmail = status.mailboxes.filter((each) => each.provider !== "files");
  const wrong = status.mailboxes.filter((each) => ["behind", "reconnect_needed"].includes(each.freshness));
  const alive = status.workers.filter((each) => each.is_alive);
  const waits = status.queue.oldest_due_at ? (new Date(status.asked_at) - new Date(status.queue.oldest_due_at)) / 1000 : 0;
  const lapsing = gmail.filter((each) => each.watch && (each.watch.seconds_left ?? 0) < 900);
  const gaps = status.mailboxes.reduce((sum, each) => sum + each.gap_count, 0);
  const letters = count("failed");
  const cells = [
    ["Mailboxes", status.mailboxes.length, wrong.length ? `${number(wrong.length)} not current` : "all current", wrong.length ? "bad" : ""],
    ["Watches", gmail.filter((each) => each.watch).length, lapsing.length ? `${number(lapsing.length)} lapsed or about to` : status.takes_pushes ? "none lapsing" : "pushes not set up", lapsing.length ? "bad" : ""],
    ["Waiting", count("todo"), waits > 1 ? `oldest due for ${span(waits)}` : "none overdue", waits > 300 ? "bad" : waits > 60 ? "warn" : ""],
    ["Running", count("doing"), status.queue.lapsed_count ? `${plural(status.queue.lapsed_count, "lapsed claim")}` : "no lapsed claim", status.queue.lapsed_count ? "warn" : ""],
    ["Dead letters", letters, letters ? "see below" : "none", letters ? "bad" : ""],
    ["Workers alive", alive.length, alive.length ? `${alive.reduce((sum, each) => sum + each.busy, 0)} of ${plural(alive.reduce((sum, each) => sum + each.slots, 0), "slot")} busy` : "a process for each run", alive.length ? "" : "warn"],
    ["Gaps", gaps, gaps ? "named below" : "nothing missing", gaps ? "warn" : ""],
  ];
  return h(
    "dl",
    { class: "signs", "aria-label": "At a glance" },
    cells.map(([name, value, detail, kind]) => h("div", { class: `sign ${kind}` }, h("dt", {}, name), h("dd", {}, number(value), h("small", {}, detail)))),
  );
}

function mailbox(data) {
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
  const [word, kind] = FRESHNESS[data.freshness];
  return h(
    "section",
    { class: "card", "aria-label": data.address, data: { key: data.mailbox_id } },
    h("div", { class: "card-top" }, h("h3", {}, data.address), data.state === "connected" ? action("Sync now", `/v1/mailboxes/${data.mailbox_id}/sync`, "In the queue. A run takes it within seconds.") : null),
    h("p", { class: "said" }, chip(word, kind), chip(data.provider), data.state_reason ? h("span", { class: "why-bad" }, data.state_reason) : null),
    values(data),
    h("dl", { class: "steps" }, steps.map(([name, count, most]) => h("div", {}, h("dt", {}, name), h("dd", {}, number(count)), bar(count / Math.max(1, most))))),
    data.failure ? h("p", { class: "why-bad" }, `${data.failure.state === "failed" ? "Given up" : "Failing"} after ${plural(data.failure.attempts, "try", "tries")}: ${data.failure.error} `, data.failure.run_url ? runLink(data.failure) : null) : null,
    data.watch?.error ? h("p", { class: "why-bad" }, "The watch could not be renewed ", moment(data.watch.error_at), `: ${data.watch.error}`) : null,
    data.notices.map((each) => h("p", { class: "note" }, `The owner is told: ${each.text}`)),
    data.gap_count
      ? h(
          "details",
          { class: "fold", data: { key: `gaps-${data.mailbox_id}` } },
          h("summary", {}, `${plural(data.gap_count, "gap")}: known messages that could not be stored`),
          h("ul", {}, data.gaps.map((gap) => h("li", {}, h("code", {}, gap.provider_message_id), ` ${gap.reason} `, h("span", { class: "muted" }, `${gap.source}, ${plural(gap.attempts, "attempt")}`)))),
        )
      : h("p", { class: "good" }, "No gaps: every message that is known is stored."),
  );
}

function values(data) {
  const watch = data.watch;
  const quota = data.quota;
  const left = watch?.seconds_left ?? 0;
  const rows = [
    ["Current as of", data.current_as_of ? moment(data.current_as_of) : data.provider === "files" ? "read when asked" : "not yet", data.freshness === "behind" ? "bad" : ""],
    ["Last sync", moment(data.synced_at)],
    ["Last ranked", moment(data.materialized_at)],
    ["Not ranked yet", data.pending_count ? [number(data.pending_count), ", oldest ", moment(data.oldest_pending_at)] : "nothing"],
    ["Still to fetch", data.backlog_count ? [number(data.backlog_count), ", since ", moment(data.oldest_backlog_at)] : "nothing"],
  ];
  if (watch) {
    rows.push(["Watch", left > 0 ? `${span(left)} left` : "lapsed", left < 900 ? "bad" : left < 172800 ? "warn" : ""]);
    rows.push(["Last push", [moment(watch.last_push_at), ` (${number(watch.push_count)} in all)`]]);
  } else if (data.provider !== "files") rows.push(["Watch", "none: it is polled"]);
  if (quota) {
    rows.push(["Quota left", `${number(Math.floor(quota.units_left))} of ${number(quota.units_per_minute)} units`, quota.units_left < 0 ? "warn" : ""]);
    rows.push(["Quota today", `${number(quota.units_today)} units, batches of ${quota.batch_size}`]);
    if (quota.throttled_at) rows.push(["Last throttled", moment(quota.throttled_at)]);
  }
  if (data.duplicate_count) rows.push(["Folder copies", number(data.duplicate_count)]);
  return h("dl", { class: "values" }, rows.map(([name, value, kind]) => h("div", {}, h("dt", {}, name), h("dd", { class: kind || null }, value))));
}

function action(label, path, done, name = label) {
  const button = h("button", { type: "button", "aria-label": name === label ? null : name, data: { key: path } }, label);
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await post(path);
      toast(done);
      await refresh();
    } catch (error) {
      toast(error.message, "bad");
    } finally {
      button.disabled = false;
    }
  });
  return button;
}

function letters(status, addresses) {
  const found = status.queue.dead_letters;
  const total = status.queue.states.find((each) => each.state === "failed")?.request_count || 0;
  if (!found.length) return h("p", { class: "good" }, "None: every request was done, or is tried again.");
  return [
    h("p", { class: "note" }, "Requests that were given up. A later sync of the mailbox that succeeds ends them by itself.", total > found.length ? ` The latest ${found.length} of ${number(total)}.` : ""),
    h(
      "ul",
      { class: "letters" },
      found.map((each) =>
        h(
          "li",
          { data: { key: each.request_id } },
          h("div", { class: "card-top" }, h("strong", {}, `${addresses[each.mailbox_id]}: ${each.kind} sync`), action("Redrive", `/v1/admin/dead-letters/${each.request_id}/redrive`, "In the queue again. A run takes it within seconds.", `Redrive ${addresses[each.mailbox_id]}`)),
          h("p", { class: "why-bad" }, each.error || "It gave no reason."),
          h("p", {}, each.next_step),
          h("p", { class: "muted small" }, `Asked by ${each.asked_by} `, moment(each.created_at), `, ${plural(each.attempts, "try", "tries")}, given up `, moment(each.finished_at), ", ", runLink(each)),
        ),
      ),
    ),
  ];
}

const KINDS = { todo: "warn", doing: "good", succeeded: "good", failed: "urgent", cancelled: "" };

function queue(data, addresses) {
  return [
    h("p", { class: "note" }, data.states.length ? data.states.map((each) => [chip(`${each.state}: ${number(each.request_count)}`, KINDS[each.state]), " "]) : "Nothing waits. ", data.oldest_waiting_at ? ["The oldest was asked for ", moment(data.oldest_waiting_at), "."] : null),
    table(
      "Latest sync requests",
      ["Asked", "Mailbox", "Kind", "By", "State", "Tries", "Run", "Error"],
      data.requests.map((each) => [moment(each.created_at), addresses[each.mailbox_id], each.kind, each.asked_by, chip(each.state, KINDS[each.state]), each.attempts, runLink(each), each.error || ""]),
    ),
  ];
}

const OUTCOMES = {
  queued: "asked for a sync",
  joined: "joined a sync that waited",
  known: "told nothing new",
  duplicate: "came again",
  unknown: "named no connected mailbox",
  garbage: "could not be read",
};

function pushes(status) {
  if (!status.takes_pushes) return h("p", { class: "note" }, "No push subscription is set, so mail is polled for: RL_EMAILS_GMAIL_PUSH_AUDIENCE and RL_EMAILS_GMAIL_PUSH_SERVICE_ACCOUNT.");
  return [
    h("p", { class: "note" }, "The last one came ", moment(status.last_push_at), "."),
    table("Pushes by outcome", ["Outcome", "Today", "In seven days"], status.pushes.map((each) => [OUTCOMES[each.outcome] || each.outcome, number(each.today_count), number(each.week_count)])),
  ];
}

function schedules(rows) {
  return table(
    "Last run of each schedule",
    ["Schedule", "State", "Started", "Last success", "Did", "Run", "Error"],
    rows.map((each) => [
      words(each.name),
      chip(each.state, each.state === "failed" ? "urgent" : each.state === "running" ? "warn" : "good"),
      moment(each.started_at),
      moment(each.succeeded_at),
      Object.entries(each.counts).map(([name, count]) => `${words(name)} ${typeof count === "number" ? number(count) : count}`).join(", "),
      runLink(each),
      each.error || "",
    ]),
    "No schedule has run yet. They are in the Dagster UI under Automation.",
  );
}

function workers(rows) {
  return table(
    "Worker processes",
    ["Host", "State", "Heartbeat", "Busy", "Runs", "Since", "Release"],
    rows.map((each) => [
      each.host,
      each.is_alive ? (each.is_stopping ? chip(`stopping: ${each.is_stopping}`, "warn") : chip("alive", "good")) : chip("silent", "urgent"),
      `${span(each.heartbeat_age_seconds)} ago`,
      `${each.busy} of ${each.slots}`,
      number(each.run_count),
      moment(each.started_at),
      each.version,
    ]),
    "No worker. Dagster starts a process for each run, which takes some seconds; `rl-emails worker` starts one.",
  );
}

const money = (value) => new Intl.NumberFormat(undefined, { style: "currency", currency: "USD", maximumFractionDigits: 4 }).format(value);

function costs(status, addresses) {
  return table(
    "Costs by mailbox and day",
    ["Day (UTC)", "Mailbox", "Questions", "Cost"],
    status.costs.map((each) => [each.day, addresses[each.mailbox_id], each.question_count, money(each.cost_usd)]),
    "Nothing has cost anything: no language model was asked.",
  );
}

function runs(status, addresses) {
  return table(
    "Latest runs by what they wrote",
    ["Last row", "Run", "Mailbox", "Rows", "Groups"],
    status.runs.map((each) => [moment(each.last_at), runLink(each), addresses[each.mailbox_id], number(each.row_count), each.steps.join(", ")]),
  );
}

function table(caption, heads, rows, none = "None yet.") {
  if (!rows.length) return h("p", { class: "note" }, none);
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption, data: { key: caption } },
    h(
      "table",
      { class: "plain-table" },
      h("caption", { class: "vh" }, caption),
      h("thead", {}, h("tr", {}, heads.map((text) => h("th", { scope: "col" }, text)))),
      h("tbody", {}, rows.map((cells) => h("tr", {}, cells.map((cell) => h("td", { class: typeof cell === "string" && cell.length > 32 ? "wide" : null }, cell))))),
    ),
  );
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) clearTimeout(timer);
  else refresh();
});
fill(content, skeleton(5));
refresh();
