// One message in its conversation: what was written, what was quoted, attachments, tasks, why it stands here, corrections.

import { address, get, post } from "./api.js";
import { choice, empty, failure, fill, h, icon, score, skeleton, toast } from "./dom.js";
import { CATEGORIES, NEEDS, URGENCY, fullTime, plural, sender, size, when } from "./format.js";
import * as learned from "./learned.js";
import { changed, go } from "./route.js";
import { taskRow } from "./tasks.js";
import { showWhy } from "./why.js";

let opened = null;

export function welcome(pane) {
  opened = null;
  fill(
    pane,
    empty(
      "Choose a message",
      "The number beside each is how likely it is that you will act on it, out of 100. Open one and press ",
      h("kbd", {}, "e"),
      " to see what adds up to it.",
    ),
  );
}

export async function open(pane, messageId, { focus = false } = {}) {
  opened = messageId;
  fill(pane, skeleton(4));
  let message;
  let thread;
  try {
    message = await get(`/v1/messages/${messageId}`);
    thread = await get(`/v1/threads/${message.thread_id}`).catch(() => ({ messages: [] }));
  } catch (error) {
    if (opened === messageId) fill(pane, back(), failure(error, () => open(pane, messageId)));
    return;
  }
  if (opened !== messageId) return;
  fill(pane, article(message, thread));
  pane.scrollTop = 0;
  if (focus) pane.querySelector("h2").focus({ preventScroll: true });
  if (message.is_unread) {
    setRead(messageId, true).catch((error) => toast(error.message, "bad"));
  }
}

export function toggleWhy(pane) {
  const panel = pane.querySelector("details.why");
  if (panel) panel.open = !panel.open;
}

export function press(pane, name) {
  pane.querySelector(`[data-key="${name}"]`)?.click();
}

async function setRead(messageId, isRead) {
  await post(`/v1/messages/${messageId}/read`, { is_read: isRead });
  for (const node of document.querySelectorAll(`.row[data-message="${messageId}"]`)) node.classList.toggle("unread", !isRead);
}

const back = () => h("a", { class: "back", href: changed({ m: null }) }, icon("back"), "Back to the list");

function article(message, thread) {
  const position = thread.messages.findIndex((each) => each.message_id === message.message_id);
  const before = position < 0 ? [] : thread.messages.slice(0, position);
  const after = position < 0 ? [] : thread.messages.slice(position + 1);
  return h(
    "article",
    { class: "message" },
    back(),
    h("h2", { tabindex: "-1" }, message.subject || "(no subject)"),
    standing(message),
    toolbar(message),
    others(before, "earlier"),
    h("div", { class: "letter" }, heading(message), body(message), attachments(message), tasks(message)),
    others(after, "later"),
  );
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
  details.addEventListener("toggle", () => {
    if (details.open && !panel.firstChild) showWhy(panel, message.message_id);
  });
  return details;
}

function heading(message) {
  const people = (label, list) =>
    list.length
      ? h("span", { class: "recipients" }, `${label} `, list.slice(0, 6).map((each) => sender(each)).join(", "), list.length > 6 ? ` and ${list.length - 6} more` : "")
      : null;
  const chip = (text) => (text ? h("span", { class: "chip" }, text) : null);
  return h(
    "header",
    { class: "letter-head" },
    h("span", { class: "from" }, sender(message.from), message.from.name ? h("span", { class: "muted address" }, ` ${message.from.address}`) : null),
    h("time", { datetime: message.received_at }, fullTime(message.received_at)),
    h("span", { class: "to" }, people("to", message.to), people("cc", message.cc)),
    h("span", { class: "chips" }, chip(CATEGORIES[message.category]), chip(NEEDS[message.needs]), message.urgency === "whenever" ? null : chip(URGENCY[message.urgency])),
  );
}

function body(message) {
  const place = h("div", { class: "body" });
  const asText = () =>
    fill(
      place,
      h("div", { class: "text" }, message.new_text || "(no text)"),
      message.signature ? h("div", { class: "text signature" }, message.signature) : null,
      message.quoted_text
        ? h("details", { class: "fold" }, h("summary", {}, "Quoted text"), h("div", { class: "text quoted" }, message.quoted_text))
        : null,
    );
  const asHtml = () =>
    fill(
      place,
      h("iframe", {
        class: "frame",
        title: "The formatted message",
        sandbox: "allow-popups allow-popups-to-escape-sandbox",
        referrerpolicy: "no-referrer",
        src: address(`/v1/messages/${message.message_id}/html`),
      }),
      h("p", { class: "muted small" }, message.blocked_count ? `${plural(message.blocked_count, "item")} from other servers not loaded.` : "Nothing from other servers is loaded."),
    );
  if (!message.html) {
    asText();
    return place;
  }
  const toggle = h("div", { class: "body-as" });
  const draw = (as) => {
    fill(toggle, choice("Show the message as", [["text", "Text"], ["html", "Formatted"]], as, draw));
    if (as === "html") asHtml();
    else asText();
  };
  draw(message.is_html_only ? "html" : "text");
  return [toggle, place];
}

function attachments(message) {
  const items = message.attachments.filter((each) => !each.is_inline || each.filename);
  if (!items.length) return null;
  return h(
    "ul",
    { class: "attachments", "aria-label": "Attachments" },
    items.map((each) =>
      h(
        "li",
        {},
        h(
          "a",
          { href: address(`/v1/messages/${message.message_id}/attachments/${each.part_path}`), download: true },
          icon("clip"),
          each.filename || "attachment",
          h("span", { class: "muted" }, size(each.size_bytes)),
        ),
      ),
    ),
  );
}

function tasks(message) {
  if (!message.tasks.length) return null;
  return h("section", { class: "letter-tasks" }, h("h3", {}, "Tasks in it"), h("ul", { class: "tasks" }, message.tasks.map((task) => taskRow(task, { bare: true }))));
}

function others(messages, word) {
  if (!messages.length) return null;
  const cards = messages.map((each) =>
    h(
      "details",
      { class: "other" },
      h("summary", {}, h("span", { class: "from" }, sender(each.from)), h("span", { class: "snippet" }, each.snippet), h("time", { datetime: each.received_at }, when(each.received_at))),
      h("div", { class: "text" }, each.new_text || "(no text)"),
      h("p", {}, h("a", { href: changed({ m: each.message_id }) }, "Open this message"), each.is_cut ? " to read the rest" : ""),
    ),
  );
  if (cards.length <= 4) return h("div", { class: "others" }, cards);
  return h("details", { class: "others fold" }, h("summary", {}, plural(cards.length, `${word} message`)), cards);
}

function toolbar(message) {
  const messageId = message.message_id;
  const corrections = { ...message.corrections };
  const bar = h("div", { class: "corrections", role: "group", "aria-label": "Corrections" });
  const correct = async (kind, value) => {
    try {
      await post(`/v1/messages/${messageId}/feedback`, { kind, value });
    } catch (error) {
      toast(error.message, "bad");
      draw();
      return;
    }
    corrections[kind] = value;
    draw();
    learned.expect(messageId);
  };
  const mark = (value, text, key) =>
    h(
      "button",
      { type: "button", data: { key: value }, "aria-pressed": corrections.importance === value ? "true" : "false", "aria-keyshortcuts": key, on: { click: () => correct("importance", value) } },
      text,
    );
  let isRead = true;
  const unread = h(
    "button",
    {
      type: "button",
      data: { key: "read" },
      on: {
        click: async () => {
          try {
            await setRead(messageId, !isRead);
            isRead = !isRead;
            unread.textContent = isRead ? "Mark unread" : "Mark read";
          } catch (error) {
            toast(error.message, "bad");
          }
        },
      },
    },
    "Mark unread",
  );
  function draw() {
    const current = corrections.category || message.category;
    fill(
      bar,
      h("span", { class: "label" }, "Is this right?"),
      mark("important", "Important", "i"),
      mark("not_important", "Not important", "n"),
      h(
        "select",
        { "aria-label": "Correct the category", on: { change: (event) => correct("category", event.target.value) } },
        current ? null : h("option", { value: "" }, "Category"),
        Object.entries(CATEGORIES).map(([value, text]) => h("option", { value, selected: value === current }, text)),
      ),
      message.labels.includes("UNREAD") ? unread : null,
    );
  }
  draw();
  return [bar, learned.place(messageId, Boolean(corrections.importance || corrections.category))];
}

export const close = () => go(changed({ m: null }));
