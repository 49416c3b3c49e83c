// One message in its conversation: what can be done with it, why it stands here, the letter, and the mail around it.

import { run } from "./actions.js";
import { chosen, get, post } from "./api.js";
import { empty, failure, fill, h, hidden, icon, score, skeleton, toast } from "./dom.js";
import { CATEGORIES, plural, sender, when } from "./format.js";
import { keysOf } from "./keymap.js";
import * as learned from "./learned.js";
import { replyLinks } from "./reply.js";
import { changed, go } from "./route.js";
import { rowFor } from "./rows.js";

let opened = null;

export function welcome(pane) {
  opened = null;
  const key = (id) => h("kbd", {}, keysOf(id)[0]);
  fill(
    pane,
    h(
      "div",
      { class: "empty welcome" },
      h("p", { class: "empty-title" }, "Choose a message"),
      h("p", {}, "The number beside each is how likely it is that you will act on it, out of 100."),
      h("p", {}, key("next"), " ", key("previous"), " move, ", key("open"), " opens, ", key("done"), " is done, ", key("why"), " says why, ", key("palette"), " finds anything."),
    ),
  );
}

export async function open(pane, messageId, { focus = false } = {}) {
  opened = messageId;
  fill(pane, skeleton(4));
  let message;
  let thread;
  let letter;
  try {
    const module = import("./letter.js");
    message = await get(`/v1/messages/${messageId}`);
    thread = await get(`/v1/threads/${message.thread_id}`).catch(() => ({ messages: [] }));
    ({ letter } = await module);
  } catch (error) {
    if (opened === messageId) fill(pane, back(), failure(error, () => open(pane, messageId)));
    return;
  }
  if (opened !== messageId) return;
  fill(pane, article(message, thread, letter));
  pane.scrollTop = 0;
  if (focus) pane.querySelector("h2").focus({ preventScroll: true });
  if (message.is_unread) {
    setRead(messageId).catch((error) => toast(error.message, "bad"));
  }
}

// The importance is wrong: the opposite of what was said last, or of what the score says.
export function correct(pane) {
  const standing = pane.querySelector(".corrections");
  if (!standing) return;
  press(pane, standing.dataset.leaning === "important" ? "not_important" : "important");
}

export function toggleWhy(pane) {
  const panel = pane.querySelector("details.why");
  if (panel) panel.open = !panel.open;
}

export const press = (pane, name) => pane.querySelector(`[data-key="${name}"]`)?.click();
export const focusOn = (pane, selector) => pane.querySelector(selector)?.focus();

async function setRead(messageId) {
  await post(`/v1/messages/${messageId}/read`, { is_read: true });
  for (const node of document.querySelectorAll(`.row[data-message="${messageId}"]`)) {
    node.classList.remove("unread");
    node.querySelector(".from .vh")?.remove();
  }
}

const back = () => h("a", { class: "back", href: changed({ m: null }) }, icon("back"), "Back to the list");

function article(message, thread, letter) {
  const position = thread.messages.findIndex((each) => each.message_id === message.message_id);
  const before = position < 0 ? [] : thread.messages.slice(0, position);
  const after = position < 0 ? [] : thread.messages.slice(position + 1);
  return h(
    "article",
    { class: "message" },
    h("div", { class: "reader-bar" }, back(), actions(message)),
    h("h2", { tabindex: "-1" }, message.subject || "(no subject)"),
    standing(message),
    corrections(message),
    others(before, "earlier"),
    letter(message),
    others(after, "later"),
    chosen.mailbox?.is_shared ? team(message.thread_id) : null,
  );
}

function actions(message) {
  const button = (command, text, name) =>
    h("button", { type: "button", data: { key: command }, title: `${text} (${keysOf(command)[0]})`, "aria-keyshortcuts": keysOf(command)[0], on: { click: () => run(command, [message.message_id]) } }, icon(name), h("span", {}, text));
  const isDone = rowFor(message.message_id)?.classList.contains("is-done");
  return h("div", { class: "actions", role: "toolbar", "aria-label": "What to do with it" }, button("done", isDone ? "Open again" : "Done", "done"), replyLinks(message), button("snooze", "Snooze", "snooze"), button("star", "Star", "star"), button("read", "Unread", "unread"));
}

function standing(message) {
  const panel = h("div", { class: "why-body" });
  const details = h(
    "details",
    { class: "why" },
    h(
      "summary",
      { data: { key: "why" } },
      score(message.priority),
      h("span", { class: "why-line" }, message.reasons.length ? message.reasons.join(" · ") : "Not ranked yet"),
      h("span", { class: "why-more" }, "Why here"),
    ),
    panel,
  );
  details.addEventListener("toggle", async () => {
    if (details.open && !panel.firstChild) (await import("./why.js")).showWhy(panel, message.message_id);
  });
  return details;
}

// The people's part of a shared mailbox is a module of its own, read only where there is one.
function team(threadId) {
  const node = h("section", { class: "team", "aria-label": "For the team" });
  import("./team.js").then((module) => module.show(node, threadId));
  return node;
}

function others(messages, word) {
  if (!messages.length) return null;
  const cards = messages.map((each) =>
    h(
      "details",
      { class: "other" },
      h("summary", {}, each.is_unread ? hidden("Unread, ") : null, h("span", { class: "from" }, sender(each.from)), h("span", { class: "snippet" }, each.snippet), h("time", { datetime: each.received_at }, when(each.received_at))),
      h("div", { class: "text" }, each.new_text || "(no text)"),
      h("p", {}, h("a", { href: changed({ m: each.message_id }) }, "Open this message"), each.is_cut ? " to read the rest" : ""),
    ),
  );
  if (cards.length <= 3) return h("div", { class: "others" }, cards);
  return h("details", { class: "others fold" }, h("summary", {}, plural(cards.length, `${word} message`)), cards);
}

function corrections(message) {
  const messageId = message.message_id;
  const said = { ...message.corrections };
  const bar = h("div", { class: "corrections", role: "group", "aria-label": "Corrections" });
  const tell = async (kind, value) => {
    try {
      await post(`/v1/messages/${messageId}/feedback`, { kind, value });
    } catch (error) {
      toast(error.message, "bad");
      draw();
      return;
    }
    said[kind] = value;
    draw();
    learned.expect(messageId);
  };
  const mark = (value, text, key) =>
    h("button", { type: "button", data: { key: value }, "aria-pressed": said.importance === value ? "true" : "false", "aria-keyshortcuts": key, title: `${text} (${key})`, on: { click: () => tell("importance", value) } }, text);
  function draw() {
    const current = said.category || message.category;
    bar.dataset.leaning = said.importance || ((message.priority ?? 0) >= 0.5 ? "important" : "not_important");
    fill(
      bar,
      h("span", { class: "label" }, "Is this right?"),
      mark("important", "Important", "i"),
      mark("not_important", "Not important", "n"),
      h(
        "select",
        { "aria-label": "Correct the category", title: "Category (c)", on: { change: (event) => tell("category", event.target.value) } },
        current ? null : h("option", { value: "" }, "Category"),
        Object.entries(CATEGORIES).map(([value, text]) => h("option", { value, selected: value === current }, text)),
      ),
    );
  }
  draw();
  return [bar, learned.place(messageId, Boolean(said.importance || said.category))];
}

export const close = () => go(changed({ m: null }));
