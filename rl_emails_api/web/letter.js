// What was written: the text with the sentences that prove its tasks, or its own form without anything from elsewhere.

import { address } from "./api.js";
import { act, add, choice, chip, fill, h, icon, marked } from "./dom.js";
import { CATEGORIES, NEEDS, URGENCY, fullTime, plural, sender, size } from "./format.js";
import { taskRow } from "./tasks.js";

const TRUSTED = "rl-emails images";

export function letter(message) {
  return h("div", { class: "letter" }, heading(message), body(message), attachments(message), tasks(message));
}

function heading(message) {
  const people = (label, list) =>
    list.length
      ? h("span", { class: "recipients" }, `${label} `, list.slice(0, 6).map((each) => sender(each)).join(", "), list.length > 6 ? ` and ${list.length - 6} more` : "")
      : null;
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
      h("div", { class: "text" }, message.new_text ? proven(message) : "(no text)"),
      message.signature ? h("div", { class: "text signature" }, message.signature) : null,
      message.quoted_text ? h("details", { class: "fold" }, h("summary", {}, "Quoted text"), h("div", { class: "text quoted" }, message.quoted_text)) : null,
    );
  if (!message.html) {
    asText();
    return place;
  }
  const toggle = h("div", { class: "body-as" });
  const draw = (as) => {
    fill(toggle, choice("Show the message as", [["text", "Text"], ["html", "Formatted"]], as, draw));
    if (as === "html") fill(place, framed(message));
    else asText();
  };
  draw(message.is_html_only ? "html" : "text");
  return [toggle, place];
}

function proven(message) {
  const spans = message.tasks.filter((task) => task.evidence_start !== null && task.evidence_end !== null).map((task) => [task.evidence_start, task.evidence_end]);
  return marked(message.new_text, spans, (piece) => h("mark", { class: "evidence-mark", title: "A task was found here" }, piece));
}

const trusted = () => new Set(JSON.parse(localStorage.getItem(TRUSTED) || "[]"));

function framed(message) {
  const who = message.from.address;
  const place = h("div", { class: "framed" });
  const draw = (images) => {
    const frame = h("iframe", {
      class: "frame",
      title: "The formatted message",
      sandbox: "allow-popups allow-popups-to-escape-sandbox",
      referrerpolicy: "no-referrer",
      src: address(`/v1/messages/${message.message_id}/html`, images ? { images: "proxy" } : {}),
    });
    fill(place, note(images), frame);
  };
  const note = (images) => {
    if (!message.blocked_count) return h("p", { class: "muted small" }, "Nothing from other servers is loaded.");
    const isTrusted = trusted().has(who);
    const line = h("p", { class: "images muted small", role: "status" });
    if (!images) {
      add(line, [`${plural(message.blocked_count, "item")} from other servers not loaded. `, act("Show images", () => draw(true), { class: "small" })]);
      return line;
    }
    const always = act(isTrusted ? "No longer for this sender" : "Always for this sender", () => {
      const kept = trusted();
      if (isTrusted) kept.delete(who);
      else kept.add(who);
      localStorage.setItem(TRUSTED, JSON.stringify([...kept]));
      draw(!isTrusted);
    }, { class: "small" });
    return add(line, ["Images come through this server: their owners see it, and not you. ", always]);
  };
  draw(Boolean(message.blocked_count) && trusted().has(who));
  return place;
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
