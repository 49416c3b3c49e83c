// Tasks: what is to be done, by whom and by when, each with the sentence that proves it; and who waits for whom.

import { chosen, post } from "./api.js";
import { choice, empty, fill, h, title, toast } from "./dom.js";
import { OWNERS, daysUntil, due, fullTime, longDate, plural, reference, sender, shortDate } from "./format.js";
import { readPages } from "./paging.js";
import { changed, go } from "./route.js";

const WHO = [["me", "Mine"], ["waiting", "Waiting"], ["all", "All"]];
const WAITING = [
  ["them", "You wait for", "You wait for nothing."],
  ["me", "They wait for you", "Nobody waits for you."],
];
const HOW = {
  answered: "Answered",
  delivered: "Delivered",
  done: "Done",
  done_by_other: "Done by somebody else",
  accepted: "Received with thanks",
  withdrawn: "Not needed any more",
  declined: "Declined",
  promised: "Promised",
  asked_back: "Asked back",
  answered_back: "Question back answered",
  reopened: "Asked again",
};
const STATUS = [["open", "Open"], ["done", "Done"]];

export function show(pane, params) {
  const who = WHO.some(([value]) => value === params.get("who")) ? params.get("who") : "me";
  const isWaiting = who === "waiting";
  const status = params.get("status") === "done" ? "done" : "open";
  const from = reference(chosen.mailbox);
  const list = h("div", { class: "task-groups" });
  const foot = h("div", { class: "list-foot" });
  const isArchive = Date.now() - from > 86400000;
  fill(
    pane,
    title("Tasks"),
    h(
      "div",
      { class: "filters" },
      choice("Whose", WHO, who, (value) => go(changed({ who: value === "me" ? null : value, m: null }))),
      isWaiting ? null : choice("State", STATUS, status, (value) => go(changed({ status: value === "open" ? null : value, m: null }))),
    ),
    isArchive ? h("p", { class: "window" }, `This mailbox ends on ${longDate(from)}; days count from then.`) : null,
    isWaiting ? WAITING.map((each) => waitingFor(each, isArchive ? from : null)) : [list, foot],
  );
  if (isWaiting) return;
  readPages({
    path: "/v1/tasks",
    query: () => ({ status, owner: who === "all" ? null : who, limit: 100 }),
    list,
    foot,
    draw(into, page) {
      for (const task of page.items) groupFor(into, task, from).append(taskRow(task, { from }));
    },
    none: () => empty(status === "done" ? "Nothing done yet" : "Nothing to do here", "Tasks are found in mail, each with its sentence."),
  });
}

function waitingFor([waiting, name, nobody], asOf) {
  const list = h("ul", { class: "tasks" });
  const foot = h("div", { class: "list-foot" });
  readPages({
    path: "/v1/tasks",
    query: () => ({ waiting, as_of: asOf ? asOf.toISOString() : null, limit: 50 }),
    list,
    foot,
    draw: (into, page) => into.append(...page.items.map((task) => taskRow(task, { from: asOf || new Date() }))),
    none: () => h("p", { class: "muted" }, nobody),
  });
  return h("section", { data: { waiting } }, h("h2", {}, name), list, foot);
}

const waited = (count) => (count < 1 ? "since today" : `for ${plural(Math.floor(count), "day")}`);

function standing(task) {
  const step = task.step && HOW[task.step.how];
  if (!step || (task.status_by === "owner" && task.status === "done")) return null;
  return h("a", { class: "chip", href: changed({ m: task.step.message_id }), data: { message: task.step.message_id }, title: task.step.evidence || shortDate(task.step.at) }, step, ` ${shortDate(task.step.at)}`);
}

const LONG_AGO = "Overdue for more than two weeks";

function groupFor(list, task, from) {
  const days = task.deadline_at ? daysUntil(task.deadline_at, from) : null;
  let name = "No deadline";
  if (days < -14) name = LONG_AGO;
  else if (days !== null) name = days < 0 ? "Overdue" : days <= 1 ? "Today and tomorrow" : days <= 7 ? "This week" : "Later";
  let group = [...list.children].find((each) => each.dataset.name === name);
  if (!group) {
    const tasks = h("ul", { class: "tasks" });
    group =
      name === LONG_AGO
        ? h("details", { class: "fold", data: { name } }, h("summary", {}, name), tasks)
        : h("section", { data: { name } }, h("h2", {}, name), tasks);
    list.append(group);
  }
  return group.querySelector("ul");
}

export function taskRow(task, { bare = false, from = reference(chosen.mailbox) } = {}) {
  const left = task.deadline_at ? daysUntil(task.deadline_at, from) : null;
  let status = task.status;
  const box = h("button", { type: "button", role: "checkbox", class: "check", "aria-checked": status === "done" ? "true" : "false", "aria-label": `Done: ${task.description}` });
  const line = h(
    "li",
    { class: `task ${status}`, data: { key: task.task_id } },
    box,
    h(
      "div",
      { class: "task-body" },
      h("p", { class: "task-what" }, task.description),
      h(
        "p",
        { class: "task-facts" },
        h("span", { class: "chip" }, task.kind === "promise" ? `${OWNERS[task.owner] || task.owner} promised` : OWNERS[task.owner] || task.owner),
        task.waiting_since && task.waited_days !== undefined
          ? h("span", { title: fullTime(task.waiting_since) }, `${task.waiting_with_name || task.waiting_with} ${waited(task.waited_days)}`)
          : null,
        task.deadline_at
          ? h("span", { class: `chip ${left < 0 && status === "open" ? "urgent" : ""}`, title: task.deadline_text }, due(task.deadline_at, from))
          : null,
        standing(task),
        bare ? null : h("a", { class: "row plain", href: changed({ m: task.message_id }), data: { message: task.message_id } }, task.from ? `${sender(task.from)}: ${task.subject || "(no subject)"}` : "Open the message"),
      ),
      h("blockquote", { class: "proof" }, task.evidence),
    ),
  );
  const change = async () => {
    const next = status === "done" ? "open" : "done";
    try {
      await post(`/v1/tasks/${task.task_id}/status`, { status: next });
    } catch (error) {
      toast(error.message, "bad");
      return;
    }
    status = next;
    box.setAttribute("aria-checked", next === "done" ? "true" : "false");
    line.className = `task ${next}`;
    const note = toast(next === "done" ? "Done." : "Open again.", "", { undo: () => (note.remove(), change()), ms: 10_000 });
  };
  box.addEventListener("click", change);
  return line;
}
