// Answering happens in the person's own mail program: an address that it opens, with the words quoted as mail quotes them.

import { chosen } from "./api.js";
import { h, icon } from "./dom.js";
import { fullTime, sender } from "./format.js";
import { keysOf } from "./keymap.js";

// What mail programs and browsers take of one address without cutting it (some stop at 2,083 characters).
const MOST = 1900;
const WIDTH = 72;

const line = (text) => text.replaceAll(/[\r\n]+/g, " ").trim();

// RFC 3676, 4.5: ">" before each line, and one more before what was quoted already; long lines are broken at blanks.
export function quote(text) {
  return text
    .replaceAll("\r\n", "\n")
    .trimEnd()
    .split("\n")
    .flatMap(wrap)
    .map((each) => (each.startsWith(">") ? `>${each}` : each ? `> ${each}` : ">"))
    .join("\r\n");
}

function wrap(text) {
  const lines = [];
  let rest = text;
  while (rest.length > WIDTH) {
    const at = rest.lastIndexOf(" ", WIDTH);
    if (at <= 0) break;
    lines.push(rest.slice(0, at));
    rest = rest.slice(at + 1);
  }
  return [...lines, rest];
}

export function replySubject(subject) {
  const plain = line(subject || "");
  return /^re:/i.test(plain) ? plain : `Re: ${plain}`;
}

// RFC 6068. Only what the mail says goes in, percent-encoded, so that no header can be added by a subject or a name.
export function mailto(message, isToAll) {
  const own = new Set(chosen.mailboxes.map((each) => each.address));
  const to = (message.reply_to.length ? message.reply_to : [message.from]).map((each) => each.address).filter(Boolean);
  const cc = isToAll ? [...new Set([...message.to, ...message.cc].map((each) => each.address))].filter((each) => each && !own.has(each) && !to.includes(each)) : [];
  const said = `On ${fullTime(message.sent_at || message.received_at)}, ${sender(message.from)} wrote:`;
  const fields = [["subject", replySubject(message.subject)]];
  if (cc.length) fields.push(["cc", cc.join(",")]);
  if (message.rfc822_message_id) fields.push(["in-reply-to", `<${message.rfc822_message_id.replaceAll(/[<>\s]/g, "")}>`]);
  const address = to.map((each) => encodeURIComponent(each).replaceAll("%40", "@")).join(",");
  const build = (body) => `mailto:${address}?${[...fields, ["body", body]].map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&")}`;
  const lines = quote(message.new_text || "").split("\r\n");
  let count = lines.length;
  const body = () => `\r\n\r\n${said}\r\n${lines.slice(0, count).join("\r\n")}${count < lines.length ? "\r\n> […]" : ""}\r\n`;
  while (count > 0 && build(body()).length > MOST) count -= 1;
  return build(body());
}

export function replyLinks(message) {
  const one = (id, text, isToAll) =>
    h("a", { class: "button", href: mailto(message, isToAll), data: { key: id }, title: `${text} in your mail program (${keysOf(id)[0]})`, "aria-keyshortcuts": keysOf(id)[0] }, icon("reply"), h("span", {}, text));
  const isMany = message.to.length + message.cc.length > 1;
  return [one("reply", "Reply", false), isMany ? one("reply-all", "Reply to all", true) : null];
}
