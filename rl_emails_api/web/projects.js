// Projects: conversations that belong together, with their people and tasks.

import { chosen, get } from "./api.js";
import { empty, failure, fill, h, icon, score, skeleton, title } from "./dom.js";
import { daysUntil, due, plural, reference, sender, when } from "./format.js";
import { readPages } from "./paging.js";
import { changed, link } from "./route.js";
import { taskRow } from "./tasks.js";

export function show(pane, params) {
  if (params.get("p")) one(pane, params.get("p"));
  else all(pane);
}

function all(pane) {
  const list = h("ul", { class: "cards", "aria-label": "Projects" });
  const foot = h("div", { class: "list-foot" });
  fill(pane, title("Projects"), list, foot);
  readPages({
    path: "/v1/projects",
    list,
    foot,
    draw: (into, page) => into.append(...page.items.map(card)),
    none: () => empty("No projects yet", "They are found once several conversations belong together."),
  });
}

const keywords = (project) => h("span", { class: "chips" }, project.keywords.slice(0, 5).map((word) => h("span", { class: "chip" }, word)));
const people = (project) => project.people.slice(0, 5).map(sender).join(", ");

function work(project) {
  const next = project.deadlines.find((each) => daysUntil(each, reference(chosen.mailbox)) >= 0);
  if (!project.open_task_count) return null;
  return h("span", {}, plural(project.open_task_count, "open task"), next ? `, next due ${due(next, reference(chosen.mailbox))}` : null);
}

function elsewhere(other) {
  return h("li", {}, `${other.address}: ${other.name} (${plural(other.shared_message_count, "shared message")})`);
}

function card(project) {
  return h(
    "li",
    {},
    h(
      "a",
      { class: "card row-like", href: link("projects", { p: project.project_id }) },
      h("span", { class: "card-top" }, h("strong", {}, project.name), h("time", { datetime: project.last_at }, when(project.last_at))),
      h("span", { class: "muted" }, `${plural(project.thread_count, "conversation")}, ${plural(project.message_count, "message")}`),
      h("span", { class: "muted" }, people(project)),
      work(project),
      keywords(project),
    ),
  );
}

async function one(pane, projectId) {
  fill(pane, skeleton(5));
  let project;
  try {
    project = await get(`/v1/projects/${projectId}`);
  } catch (error) {
    fill(pane, failure(error, () => one(pane, projectId)));
    return;
  }
  fill(
    pane,
    h("a", { class: "back always", href: link("projects") }, icon("back"), "All projects"),
    title(project.name),
    h("p", { class: "window" }, `${when(project.first_at)} to ${when(project.last_at)}. ${people(project)}`),
    work(project),
    keywords(project),
    project.also_in.length ? h("details", { class: "fold" }, h("summary", {}, `Also in ${plural(project.also_in.length, "mailbox", "mailboxes")}`), h("ul", {}, project.also_in.map(elsewhere))) : null,
    project.tasks.length ? h("section", {}, h("h2", {}, "Tasks"), h("ul", { class: "tasks" }, project.tasks.map((task) => taskRow(task)))) : null,
    h("h2", {}, "Conversations"),
    h("ul", { class: "rows", "aria-label": "Conversations" }, project.threads.map(threadRow)),
  );
}

function threadRow(thread) {
  return h(
    "li",
    {},
    h(
      "a",
      { class: "row", href: changed({ m: thread.last_message_id }), data: { message: thread.last_message_id } },
      score(thread.priority),
      h(
        "span",
        { class: "row-body" },
        h("span", { class: "row-top" }, h("span", { class: "subject" }, thread.subject || "(no subject)"), h("time", { datetime: thread.last_at }, when(thread.last_at))),
        h("span", { class: "muted" }, plural(thread.message_count, "message")),
      ),
    ),
  );
}
