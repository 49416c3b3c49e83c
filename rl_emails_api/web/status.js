// Status, as the owner of the mailbox needs it; the administrator's page has the rest.

import { chosen, post } from "./api.js";
import { fill, h, title, toast } from "./dom.js";
import { FRESHNESS, fullTime, number, plural } from "./format.js";
import { connect, sentence } from "./fresh.js";

const moment = (iso) => (iso ? h("time", { datetime: iso }, fullTime(iso)) : "never");

export function show(pane) {
  const mailbox = chosen.mailbox;
  const facts = [
    ["Complete as of", mailbox.current_as_of ? moment(mailbox.current_as_of) : null],
    ["Last synced", moment(mailbox.synced_at)],
    ["Last ranked", moment(mailbox.materialized_at)],
    ["Still to fetch", mailbox.backlog_count ? number(mailbox.backlog_count) : null],
  ];
  fill(
    pane,
    title("Status"),
    h(
      "section",
      { class: "card", "aria-label": mailbox.address },
      h("div", { class: "card-top" }, h("h2", {}, mailbox.address), mailbox.state === "connected" ? syncButton(mailbox) : null),
      h("p", {}, h("span", { class: `chip ${FRESHNESS[mailbox.freshness][1]}` }, sentence(mailbox))),
      mailbox.freshness === "reconnect_needed" ? h("p", {}, mailbox.state_reason, " ", connect("Connect again", mailbox.address)) : null,
      h("dl", { class: "facts record" }, facts.map(([name, value]) => (value ? h("div", {}, h("dt", {}, name), h("dd", {}, value)) : null))),
      mailbox.gap_count
        ? h("p", {}, `${plural(mailbox.gap_count, "gap")}: known messages that could not be stored. The administrator's page names them.`)
        : h("p", { class: "good" }, "No gaps: every message that is known is stored."),
    ),
    h("p", { class: "ends" }, chosen.canConnect ? connect("Connect another Gmail account") : null, h("a", { href: "/admin" }, "Administration: queue, schedules, workers, runs")),
  );
}

function syncButton(mailbox) {
  const sync = h("button", { type: "button" }, "Sync now");
  sync.addEventListener("click", async () => {
    sync.disabled = true;
    try {
      await post(`/v1/mailboxes/${mailbox.mailbox_id}/sync`);
      toast("In the queue. A run takes it within seconds.");
    } catch (error) {
      sync.disabled = false;
      toast(error.message, "bad");
    }
  });
  return sync;
}
