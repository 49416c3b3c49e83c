// What a correction changed: told once it is done, and kept below the buttons that made it.

import { get } from "./api.js";
import { fill, h, toast } from "./dom.js";
import { plural } from "./format.js";
import { changed } from "./route.js";

const waiting = new Set();
const points = (score) => Math.round(score * 100);

// A place for what became of the corrections of a message; filled now when there are some.
export function place(messageId, isCorrected) {
  const node = h("div", { class: "learned", role: "status", data: { learned: messageId } });
  if (isCorrected) draw(node, messageId);
  return node;
}

export function expect(messageId) {
  waiting.add(messageId);
  look(messageId);
}

window.addEventListener("learned", () => [...waiting].forEach(look));

function look(messageId) {
  const node = document.querySelector(`[data-learned="${messageId}"]`) || h("div");
  draw(node, messageId, true);
}

async function draw(node, messageId, isExpected = false) {
  let said;
  try {
    [said] = (await get("/v1/learning", { message_id: messageId })).corrections;
  } catch {
    // The next change of the mailbox looks again; what is shown stays.
    return;
  }
  if (!said) return;
  fill(node, h("p", { class: "muted small" }, sentence(said)), moved(said));
  if (isExpected && (said.state === "applied" || said.state === "unchanged") && waiting.delete(messageId)) toast(sentence(said));
}

function sentence(said) {
  switch (said.state) {
    case "waiting":
      return "Noted. Mail like it is ranked anew within a minute.";
    case "learned":
      return "Learned. Your mail is being ranked anew.";
    case "unchanged":
      return `Heard, and nothing has changed. ${said.reason}`;
    default:
      return said.moved_count ? `Learned: ${plural(said.moved_count, "message")} from this sender moved.` : "Learned. No message from this sender had to move.";
  }
}

function moved(said) {
  if (said.state !== "applied" || !said.top.length) return null;
  const line = (each) =>
    h("li", {}, h("a", { href: changed({ m: each.message_id }) }, each.subject || "(no subject)"), h("span", { class: "num muted" }, ` ${points(each.score_before)} → ${points(each.score_after)}`));
  return h("details", { class: "fold" }, h("summary", {}, "Which moved farthest"), h("ul", {}, said.top.map(line)));
}
