// How fresh the inbox is, what its owner should know, and the moment when new mail has come: one cheap request, repeated.

import { chosen, getChanged, post } from "./api.js";
import { add, h, toast } from "./dom.js";
import { listen } from "./events.js";
import { FRESHNESS, fullTime, number, when } from "./format.js";
import { replaceWith } from "./keep.js";

const EVERY = 4000;
// What no event tells of: time that passes, and an event that was lost.
const EVERY_WHEN_TOLD = 30_000;
const line = document.getElementById("fresh");
const notices = document.getElementById("notices");
const tag = { value: null };
let isAway = false;

// Read the mailboxes; true when something of them has changed. The kept id is chosen at first.
export async function read(kept = chosen.mailbox?.mailbox_id) {
  const told = await getChanged("/v1/mailboxes", tag);
  if (!told) return false;
  chosen.mailboxes = told.items;
  chosen.canConnect = told.can_connect_gmail;
  chosen.mailbox = told.items.find((each) => each.mailbox_id === kept) || told.items[0] || null;
  draw();
  return true;
}

export function follow({ listed, arrived }) {
  let timer = 0;
  const ids = () => chosen.mailboxes.map((each) => each.mailbox_id).join();
  async function look() {
    clearTimeout(timer);
    const before = [ids(), chosen.mailbox?.mailbox_id, chosen.mailbox?.materialized_at, chosen.mailbox?.freshness];
    const learned = chosen.mailbox?.learned_at;
    try {
      const isNew = await read();
      if (isAway) {
        isAway = false;
        draw();
      }
      const after = [ids(), chosen.mailbox?.mailbox_id, chosen.mailbox?.materialized_at, chosen.mailbox?.freshness];
      if (isNew && before[0] !== after[0]) listed();
      // Another mailbox may have been picked while the answer was on its way; its own list is being read then.
      else if (isNew && before[1] === after[1] && before.join() !== after.join()) arrived();
      if (isNew && before[1] === after[1] && learned !== chosen.mailbox?.learned_at) window.dispatchEvent(new Event("learned"));
    } catch (error) {
      isAway = !error.status || error.status >= 500;
      draw();
    }
    if (!document.hidden) timer = setTimeout(look, events.isLive() && !isAway ? EVERY_WHEN_TOLD : EVERY);
  }
  const events = listen(() => {
    look();
    arrived();
  });
  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : look()));
  window.addEventListener("online", look);
  window.addEventListener("look", look);
  timer = setTimeout(look, EVERY);
}

export function sentence(mailbox) {
  switch (mailbox.freshness) {
    case "current":
      return `Up to date as of ${when(mailbox.current_as_of)}`;
    case "fetching":
      return `Fetching older mail: ${number(mailbox.backlog_count)} to go`;
    case "behind":
      return mailbox.current_as_of ? `Behind since ${when(mailbox.current_as_of)}` : "Behind: not synced yet";
    case "imported":
      return mailbox.synced_at ? `Files read ${when(mailbox.synced_at)}` : "Files not read yet";
    default:
      return FRESHNESS[mailbox.freshness][0];
  }
}

export function draw() {
  const mailbox = chosen.mailbox;
  line.hidden = !mailbox && !isAway;
  const text = isAway ? "The server does not answer" : mailbox ? sentence(mailbox) : "";
  const kind = isAway ? "urgent" : mailbox ? FRESHNESS[mailbox.freshness][1] : "";
  if (line.textContent !== text) line.textContent = text;
  line.className = `fresh ${kind}`;
  line.title = mailbox?.current_as_of ? `${text}. Complete as of ${fullTime(mailbox.current_as_of)}` : text;
  const told = (mailbox?.notices || []).filter((each) => each.kind !== "reconnect_needed" || mailbox.freshness === "reconnect_needed");
  const made = h("div");
  if (isAway) add(made, [away()]);
  // Somebody who dismissed the notice can still not go on without connecting again.
  if (mailbox?.freshness === "reconnect_needed" && !told.some((each) => each.kind === "reconnect_needed")) {
    add(made, [notice({ kind: "reconnect_needed", text: mailbox.state_reason || "This mailbox has to be connected again." }, mailbox)]);
  }
  add(made, told.map((each) => notice(each, mailbox)));
  replaceWith(notices, made);
}

function away() {
  const again = h("button", { type: "button" }, "Try now");
  again.addEventListener("click", () => window.dispatchEvent(new Event("look")));
  return h("div", { class: "notice bad", role: "status", data: { key: "away" } }, h("p", {}, "No connection to the server. What is shown may be old, and what you do is not stored. It is tried again every few seconds."), again);
}

function notice(data, mailbox) {
  const isReconnect = data.kind === "reconnect_needed";
  return h(
    "div",
    { class: `notice ${isReconnect || data.kind === "behind" ? "bad" : ""}`, role: "status", data: { key: data.notice_id || data.kind } },
    h("p", {}, data.text),
    isReconnect ? connect("Connect again", mailbox.address) : data.notice_id ? dismissal(data, mailbox) : null,
  );
}

function dismissal(data, mailbox) {
  const button = h("button", { type: "button", "aria-label": `Dismiss: ${data.text}` }, "Dismiss");
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await post(`/v1/mailboxes/${mailbox.mailbox_id}/notices/${data.notice_id}/dismiss`);
      await read();
    } catch (error) {
      button.disabled = false;
      toast(error.message, "bad");
    }
  });
  return button;
}

// A button that leads to Google's page, which leads back here.
export function connect(label = "Connect Gmail", address = "") {
  const button = h("button", { type: "button", class: "connect" }, label);
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      location.assign((await post("/v1/connections/gmail", { login_hint: address })).authorization_url);
    } catch (error) {
      button.disabled = false;
      toast(error.message, "bad");
    }
  });
  return button;
}
