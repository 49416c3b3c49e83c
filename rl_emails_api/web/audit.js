// The audit log: who did what that others should be able to look up, newest first.

import { getOwn } from "./api.js";
import { empty, failure, fill, h, skeleton } from "./dom.js";
import { fullTime } from "./format.js";

let names = new Map();

export async function show(content, cursor = null, before = []) {
  if (!before.length) fill(content, skeleton(5));
  let page;
  try {
    if (!before.length) names = new Map((await getOwn("/v1/organization/members", { limit: 200 })).items.map((each) => [each.user_id, each.display_name || each.address]));
    page = await getOwn("/v1/admin/audit", { cursor, limit: 50 });
  } catch (error) {
    fill(content, [403, 404].includes(error.status) ? empty("The audit log is for administrators", error.message) : failure(error, () => show(content, cursor, before)));
    return;
  }
  const items = [...before, ...page.items];
  if (!items.length) {
    fill(content, empty("Nothing yet", "Sign-ins, grants, exports, erasures and admin views are recorded here."));
    return;
  }
  fill(
    content,
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": "Audit log" },
      h(
        "table",
        { class: "plain-table" },
        h("thead", {}, h("tr", {}, ["When", "What", "Who", "On", "From"].map((text) => h("th", { scope: "col" }, text)))),
        h("tbody", {}, items.map((each) =>
          h("tr", {}, [fullTime(each.created_at), each.action, [names.get(each.user_id) || each.user_id, each.credential].filter(Boolean).join(", "), each.target, each.client].map((text) => h("td", {}, text))))),
      ),
    ),
    page.next_cursor ? h("button", { type: "button", class: "more", on: { click: () => show(content, page.next_cursor, items) } }, "Show more") : null,
  );
}
