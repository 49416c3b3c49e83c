// "Why here": the recorded decision as it was written. Adding up the recorded numbers is all that happens here.

import { get } from "./api.js";
import { add, failure, fill, h, skeleton } from "./dom.js";
import { CATEGORIES, NEEDS, URGENCY, fullTime, plural, signed, words } from "./format.js";
import { FEATURES } from "./features.js";

const SHOWN = 8;

export async function showWhy(node, messageId) {
  fill(node, skeleton(2));
  try {
    fill(node, parts(await get(`/v1/messages/${messageId}/explain`)));
  } catch (error) {
    fill(node, failure(error, () => showWhy(node, messageId)));
  }
}

function parts(record) {
  return [
    record.priority ? priority(record.priority) : h("p", { class: "muted" }, "Not ranked yet: the next run gives it a score."),
    record.verdict ? verdict(record.verdict) : h("p", { class: "muted" }, "Not classified yet."),
    provenance(record),
  ];
}

function priority(record) {
  const shown = record.contributions.slice(0, SHOWN);
  const rest = record.contributions.slice(SHOWN);
  const sum = (items) => items.reduce((total, item) => total + item.log_odds, 0);
  const total = record.base_log_odds + sum(record.contributions);
  const widest = Math.max(0.01, Math.abs(record.base_log_odds), ...shown.map((item) => Math.abs(item.log_odds)));
  const line = (name, value, amount) => {
    const fillBar = h("span", { class: amount < 0 ? "minus" : "plus" });
    fillBar.style.width = `${(Math.abs(amount) / widest) * 50}%`;
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, name, value === null ? null : h("span", { class: "muted" }, ` ${shownValue(value)}`)),
      h("td", { class: "diverging", "aria-hidden": "true" }, fillBar),
      h("td", { class: "num" }, signed(amount)),
    );
  };
  return h(
    "section",
    { class: "why-score", "aria-label": "Score" },
    h("h3", {}, "What adds up to the score"),
    h(
      "table",
      { class: "contributions" },
      h("colgroup", {}, h("col", { class: "wide" }), h("col"), h("col", { class: "narrow" })),
      h("thead", { class: "vh" }, h("tr", {}, ["Feature", "Direction", "Log odds"].map((text) => h("th", { scope: "col" }, text)))),
      h(
        "tbody",
        {},
        shown.map((item) => line(FEATURES[item.feature] || words(item.feature), item.value, item.log_odds)),
        rest.length ? line(plural(rest.length, "smaller one"), null, sum(rest)) : null,
        line("where every message starts", null, record.base_log_odds),
      ),
      h(
        "tfoot",
        {},
        h(
          "tr",
          {},
          h("th", { scope: "row", colspan: 2 }, `Together, as a probability: ${(100 / (1 + Math.exp(-total))).toFixed(1)} %`),
          h("td", { class: "num" }, signed(total)),
        ),
      ),
    ),
    h("p", { class: "muted small" }, `Recorded score ${record.score.toFixed(4)}. Bars are log odds: right raises, left lowers.`),
    record.reasons_against.length ? [h("h3", {}, "Why not higher"), h("ul", { class: "against" }, record.reasons_against.map((text) => h("li", {}, text)))] : null,
    record.is_stale ? h("p", { class: "small" }, "Something it was made from has changed; the next run scores it again.") : null,
  );
}

function shownValue(value) {
  if (value === true) return "yes";
  if (value === false) return "no";
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : value.toFixed(2);
  return value === null ? "" : String(typeof value === "object" ? JSON.stringify(value) : value);
}

function verdict(record) {
  const said = [
    ["Category", CATEGORIES[record.category]],
    ["Needs", NEEDS[record.needs]],
    ["Urgency", URGENCY[record.urgency] || record.urgency],
    ["For", words(record.handler)],
    ["Confidence", `${Math.round(record.confidence * 100)} %`],
  ];
  return h(
    "section",
    { class: "why-verdict", "aria-label": "Verdict" },
    h("h3", {}, "What it was taken for"),
    h("dl", { class: "facts" }, said.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))),
    h(
      "ul",
      { class: "evidence" },
      record.evidence.map((item) =>
        h(
          "li",
          {},
          h("span", { class: "chip" }, `${words(item.supports)} · ${words(item.source)}`),
          h("q", {}, item.quote),
          h("span", { class: "num muted" }, item.weight ? signed(item.weight) : "rule"),
        ),
      ),
    ),
  );
}

function provenance(record) {
  const rows = [
    ["Score", record.priority],
    ["Verdict", record.verdict],
    ["Tasks", record.extraction],
    ["Vector", record.embedding],
    ["Signals", record.signals],
  ].filter(([, row]) => row);
  if (!rows.length) return null;
  return h(
    "details",
    { class: "fold" },
    h("summary", {}, "Record: models, runs, hashes"),
    h(
      "dl",
      { class: "facts record" },
      rows.map(([name, row]) => h("div", {},
        h("dt", {}, name),
        add(h("dd", {}), [
          `${row.model_version || row.model || "rules"}, code ${row.version}, ${fullTime(row.computed_at)}, `,
          row.run_url ? h("a", { href: row.run_url, target: "_blank", rel: "noopener noreferrer" }, `run ${row.run_id.slice(0, 8)}`) : `run ${row.run_id}`,
          row.inputs_hash ? h("span", { class: "muted hash" }, ` inputs ${row.inputs_hash.slice(0, 12)}`) : null,
          row.cost_usd ? ` cost ${row.cost_usd} USD` : null,
        ]),
      )),
    ),
  );
}
