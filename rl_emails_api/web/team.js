// A shared mailbox: who takes care of a conversation, and notes that only members see.

import { change, chosen, get, getOwn, post, put } from "./api.js";
import { act, add, empty, fill, h, toast } from "./dom.js";
import { fullTime } from "./format.js";

let members = null;

export async function show(node, threadId) {
  try {
    members ??= (await getOwn("/v1/organization/members")).items;
    const [assignment, notes] = await Promise.all([get(`/v1/threads/${threadId}/assignment`), get(`/v1/threads/${threadId}/notes`)]);
    draw(node, threadId, assignment, notes.items);
  } catch (error) {
    // Not a shared mailbox any more, or not a member's: there is nothing to offer.
    if (error.status !== 404 && error.status !== 403) fill(node, h("p", { class: "muted small", role: "alert" }, `The team's part could not be loaded. ${error.message}`));
  }
}

const nameOf = (member) => member?.display_name || member?.address || "Somebody";

function draw(node, threadId, assignment, notes) {
  const who = h(
    "select",
    { "aria-label": "Assigned to" },
    h("option", { value: "" }, "Nobody"),
    members.map((each) => h("option", { value: each.user_id, selected: each.user_id === assignment?.user_id }, nameOf(each))),
  );
  let was = assignment.user_id;
  who.addEventListener("change", async () => {
    try {
      await put(`/v1/threads/${threadId}/assignment`, { user_id: who.value || null, was });
      was = who.value || null;
      toast(who.value ? `Assigned to ${who.selectedOptions[0].textContent}.` : "Assigned to nobody.");
    } catch (error) {
      toast(error.message, "bad");
      show(node, threadId);
    }
  });
  const text = h("textarea", { "aria-label": "A note for the team", rows: 2, maxlength: 5000, placeholder: "A note that only members see" });
  const list = h("ul", { class: "notes", "aria-label": "Internal notes" }, notes.map((each) => note(each, node, threadId)));
  const send = act("Add the note", async () => {
    if (!text.value.trim()) return;
    await post(`/v1/threads/${threadId}/notes`, { text: text.value.trim() });
    await show(node, threadId);
  });
  fill(
    node,
    h("h3", {}, "For the team"),
    h("label", { class: "assigned" }, h("span", { class: "label" }, "Assigned to"), who),
    notes.length ? list : h("p", { class: "muted small" }, "No notes yet. They stay here and are never sent."),
    h("div", { class: "note-form" }, text, send),
  );
}

function note(data, node, threadId) {
  return h(
    "li",
    { class: "note" },
    h("p", { class: "note-head" }, h("strong", {}, data.author ? nameOf(data.author) : "Somebody who has left"), h("time", { class: "muted small", datetime: data.created_at }, fullTime(data.created_at))),
    h("p", { class: "text" }, data.text),
    !data.is_yours ? null : act("Delete", async () => {
      await change("DELETE", `/v1/notes/${data.note_id}`);
      await show(node, threadId);
    }, { class: "quiet small" }),
  );
}
