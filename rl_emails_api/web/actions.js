// What is done with messages: at once in the list, then at the server, and taken back for ten seconds by a button or z.

import { onceKey, post } from "./api.js";
import { toast } from "./dom.js";
import { number, plural, when } from "./format.js";
import { refresh } from "./paging.js";
import { changed, current, go } from "./route.js";
import { neighbour, rove, rowFor } from "./rows.js";
import * as selection from "./selection.js";

const UNDO_MS = 10_000;
const MOST = 200;
const INVERSE = { done: "not_done", not_done: "done", read: "unread", unread: "read", snooze: "unsnooze", unsnooze: "snooze", star: "unstar", unstar: "star" };
const SAID = { done: "Done", not_done: "Open again", read: "Read", unread: "Unread", snooze: "Snoozed", unsnooze: "Awake again", star: "Starred", unstar: "Star taken away" };
const LEAVES = { open: ["done", "snooze"], done: ["not_done"], snoozed: ["unsnooze", "done"] };
const taken = [];

const pane = () => document.getElementById("list-pane");
const state = () => current().params.get("state") || "open";

// What a command is about: all that is selected, else the open message, else the line with the focus.
export function targets() {
  if (selection.all().length) return selection.all();
  const open = current().params.get("m");
  if (open) return [open];
  const row = document.activeElement?.closest?.(".item")?.querySelector(".row[data-message]") || (document.activeElement?.matches?.(".row[data-message]") ? document.activeElement : null);
  return row ? [row.dataset.message] : [];
}

const every = (ids, has) => ids.map(rowFor).filter(Boolean).every(has);

// A command of the keyboard, a button or the palette, as the action that it means for these messages now.
export async function run(command, ids = targets()) {
  if (!ids.length) {
    toast("Choose a message first: j and k move, x selects.");
    return;
  }
  const isOf = (name) => (node) => node.classList.contains(name);
  if (command === "done") await perform(every(ids, isOf("is-done")) && ids.some(rowFor) ? "not_done" : "done", ids);
  else if (command === "star") await perform(every(ids, isOf("starred")) && ids.some(rowFor) ? "unstar" : "star", ids);
  else if (command === "read") await perform(every(ids, isOf("unread")) && ids.some(rowFor) ? "read" : "unread", ids);
  else if (command === "snooze") {
    if (state() === "snoozed" || (ids.some(rowFor) && every(ids, (node) => Boolean(node.dataset.until)))) await perform("unsnooze", ids);
    else {
      const until = await (await import("./snooze.js")).askUntil(ids.length);
      if (until) await perform("snooze", ids, until);
    }
  }
}

async function send(action, ids, until) {
  const changedIds = [];
  for (let at = 0; at < ids.length; at += MOST) {
    const body = { action, message_ids: ids.slice(at, at + MOST) };
    if (action === "snooze") body.until = until;
    changedIds.push(...(await post("/v1/messages/actions", body, onceKey())).changed);
  }
  return changedIds;
}

export async function perform(action, ids, until = null) {
  const before = ids.map(rowFor).find(Boolean)?.dataset.until;
  const back = paint(action, ids);
  let changedIds;
  try {
    changedIds = await send(action, ids, until);
  } catch (error) {
    back();
    toast(error.message, "bad");
    return;
  }
  selection.clear();
  await refresh();
  if (!changedIds.length) {
    toast(`${SAID[action]} already.`);
    return;
  }
  const what = `${SAID[action]}${action === "snooze" ? ` until ${when(until)}` : ""}${changedIds.length > 1 ? `: ${plural(changedIds.length, "message")}` : ""}.`;
  const entry = { note: null, undo: () => takeBack(entry, action, changedIds, before) };
  entry.note = toast(what, "", { undo: entry.undo, ms: UNDO_MS });
  taken.push(entry);
  setTimeout(() => forget(entry), UNDO_MS);
}

function forget(entry) {
  const at = taken.indexOf(entry);
  if (at >= 0) taken.splice(at, 1);
}

async function takeBack(entry, action, ids, before) {
  forget(entry);
  entry.note.remove();
  try {
    await send(INVERSE[action], ids, before);
  } catch (error) {
    toast(error.message, "bad");
    return;
  }
  for (const id of ids) mark(INVERSE[action], id);
  await refresh();
  toast(`Undone: ${number(ids.length)} as before.`);
  const row = rowFor(ids[0]);
  if (row && !current().params.get("m")) {
    rove(pane(), row);
    row.focus();
  }
}

export function undoLast() {
  const entry = taken.at(-1);
  if (entry) entry.undo();
  else toast("Nothing to undo.");
}

function mark(action, id) {
  const node = rowFor(id);
  if (!node) return;
  if (action === "read" || action === "unread") node.classList.toggle("unread", action === "unread");
  if (action === "star" || action === "unstar") node.classList.toggle("starred", action === "star");
}

// Show at once what the action will have done; the function that is returned takes it back.
function paint(action, ids) {
  if (!(LEAVES[state()] || []).includes(action)) {
    for (const id of ids) mark(action, id);
    return () => ids.forEach((id) => mark(INVERSE[action], id));
  }
  const open = current().params.get("m");
  const next = neighbour(pane(), ids);
  const hidden = ids.map((id) => rowFor(id)?.closest("li")).filter(Boolean);
  const hadFocus = hidden.some((each) => each.contains(document.activeElement)) || document.activeElement === document.body;
  for (const each of hidden) each.hidden = true;
  if (open && ids.includes(open)) go(changed({ m: next && matchMedia("(min-width: 1001px)").matches ? next.dataset.message : null }));
  if (next) {
    rove(pane(), next);
    if (hadFocus) next.focus();
  }
  return () => hidden.forEach((each) => (each.hidden = false));
}
