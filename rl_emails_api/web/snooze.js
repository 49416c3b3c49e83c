// Until when: a few good moments by one key each, or any other.

import { fill, h } from "./dom.js";
import { fullTime, plural } from "./format.js";

const at = (days, hour) => {
  const date = new Date();
  date.setDate(date.getDate() + days);
  date.setHours(hour, 0, 0, 0);
  return date;
};

// The moments that are offered now; "this evening" only while it is ahead.
export function moments(now = new Date()) {
  const toSaturday = (6 - now.getDay() + 7) % 7 || 7;
  const toMonday = (1 - now.getDay() + 7) % 7 || 7;
  return [
    now.getHours() < 17 ? ["This evening", at(0, 18)] : null,
    ["Tomorrow morning", at(1, 8)],
    now.getDay() > 0 && now.getDay() < 6 ? ["At the weekend", at(toSaturday, 9)] : null,
    ["Next week", at(toMonday, 8)],
    ["In a month", at(30, 8)],
  ].filter(Boolean);
}

// The time as the server takes it, or null when the person thinks better of it.
export function askUntil(count) {
  const dialog = document.getElementById("ask");
  return new Promise((resolve) => {
    let answer = null;
    const say = (date) => {
      answer = date.toISOString();
      dialog.close();
    };
    const choices = moments();
    const other = h("input", { type: "datetime-local", "aria-label": "Another time" });
    fill(
      dialog,
      h("h2", { id: "ask-title" }, count > 1 ? `Snooze ${plural(count, "message")} until` : "Snooze until"),
      h("ul", { class: "moments" }, choices.map(([name, date], index) =>
        h("li", {}, h("button", { type: "button", autofocus: index === 0, "aria-keyshortcuts": String(index + 1), on: { click: () => say(date) } }, h("kbd", {}, index + 1), h("span", {}, name), h("span", { class: "muted small" }, fullTime(date)))))),
      h("form", { class: "moment-form", on: { submit: (event) => {
        event.preventDefault();
        const date = new Date(other.value);
        if (date > new Date()) say(date);
        else other.setCustomValidity("Choose a time that is ahead."), other.reportValidity();
      } } }, other, h("button", { type: "submit" }, "Snooze")),
    );
    other.addEventListener("input", () => other.setCustomValidity(""));
    dialog.onkeydown = (event) => {
      if (event.target === other) return;
      const chosen = choices[Number(event.key) - 1];
      if (chosen) say(chosen[1]);
    };
    dialog.addEventListener("close", () => resolve(answer), { once: true });
    dialog.showModal();
  });
}
