// Tasks: what is to be done, by whom and by when, each with the sentence that proves it.

import { chosen, post } from "./api.js";
import { choice, empty, fill, h, title, toast } from "./dom.js";
import { OWNERS, daysUntil, due, longDate, reference, sender } from "./format.js";
import { readPages } from "./paging.js";
import { changed, go } from "./route.js";

const WHO = [["me", "Mine"], ["them", "Waiting for"], ["all", "All"]];
const STATUS = [["open", "Open"], ["done", "Done"]];

export function show(pane, params) {
  const who = WHO.some(([value]) => value === params.get("who")) ? params.get("who") : "me";
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
      choice("State", STATUS, status, (value) => go(changed({ status: value === "open" ? null : value, m: null }))),
    ),
    isArchive ? h("p", { class: "window" }, `This mailbox ends on ${longDate(from)}; days count from then.`) : null,
    list,
    foot,
  );
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
  const days = task.deadline_at ? daysUntil(task.deadline_at, from) : null;
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
        task.deadline_at
          ? h("span", { class: `chip ${days < 0 && status === "open" ? "urgent" : ""}`, title: task.deadline_text }, due(task.deadline_at, from))
          : null,
        bare ? null : h("a", { class: "row plain", href: changed({ m: task.message_id }), data: { message: task.message_id } }, task.from ? `${sender(task.from)}: ${task.subject || "(no subject)"}` : "Open the message"),
      ),
      h("blockquote", { class: "proof" }, task.evidence),
    ),
  );
  box.addEventListener("click", async () => {
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
    toast(next === "done" ? "Done." : "Open again.");
  });
  return line;
}
