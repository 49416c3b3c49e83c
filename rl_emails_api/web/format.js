// Words for times, sizes and the engine's names.

const DAY = 86400000;
const intl = (options) => new Intl.DateTimeFormat(undefined, options);
const TIME = intl({ hour: "2-digit", minute: "2-digit" });
const WEEKDAY = intl({ weekday: "short", hour: "2-digit", minute: "2-digit" });
const DATE = intl({ day: "numeric", month: "short" });
const LONG = intl({ day: "numeric", month: "long", year: "numeric" });
const YEAR = intl({ day: "numeric", month: "short", year: "numeric" });
const FULL = intl({ weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });

export function when(iso) {
  const date = new Date(iso);
  const now = new Date();
  const age = now - date;
  if (date.toDateString() === now.toDateString()) return TIME.format(date);
  if (age > 0 && age < 6 * DAY) return WEEKDAY.format(date);
  return (date.getFullYear() === now.getFullYear() ? DATE : YEAR).format(date);
}

export const fullTime = (iso) => FULL.format(new Date(iso));
export const shortDate = (date) => YEAR.format(new Date(date));
export const longDate = (date) => LONG.format(new Date(date));

// A mailbox whose newest message is older than a week is an archive: its days count from that message, not from today.
export function reference(mailbox) {
  const newest = mailbox && mailbox.newest_at ? new Date(mailbox.newest_at) : null;
  return newest && Date.now() - newest > 7 * DAY ? newest : new Date();
}

export function daysUntil(iso, from) {
  const start = (date) => Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
  return Math.round((start(new Date(iso)) - start(from)) / DAY);
}

export function due(iso, from) {
  const days = daysUntil(iso, from);
  const date = YEAR.format(new Date(iso));
  if (days < -1) return `${-days} days over, ${date}`;
  if (days === -1) return `since yesterday, ${date}`;
  if (days === 0) return `today, ${date}`;
  if (days === 1) return `tomorrow, ${date}`;
  return days < 15 ? `in ${days} days, ${date}` : date;
}

export function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1048576) return `${Math.round(bytes / 1024)} kB`;
  return `${(bytes / 1048576).toFixed(1)} MB`;
}

export const number = (value) => Number(value).toLocaleString();
export const plural = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;
export const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
export function span(seconds) {
  const [value, unit] = [[86400, "day"], [3600, "hour"], [60, "minute"]].map(([size, name]) => [Math.floor(seconds / size), name]).find(([count]) => count) || [Math.max(0, Math.round(seconds)), "second"];
  return plural(value, unit);
}
export const ago = (iso) => (Date.now() - new Date(iso) < 5 * DAY ? `${span((Date.now() - new Date(iso)) / 1000)} ago` : FULL.format(new Date(iso)));
export const words = (name) => name.replaceAll("_", " ");
export const sender = (address) => address.name || address.address || "(no sender)";

export const FRESHNESS = {
  live: ["Live", "good"],
  current: ["Up to date", "good"],
  imported: ["From files", ""],
  starting: ["First sync starting", "warn"],
  fetching: ["Fetching mail", "warn"],
  behind: ["Behind", "urgent"],
  reconnect_needed: ["Reconnect needed", "urgent"],
  disconnecting: ["Being disconnected", "warn"],
};
export const CATEGORIES = {
  person: "Person",
  newsletter: "Newsletter",
  promotion: "Promotion",
  notification: "Notification",
  receipt: "Receipt",
  calendar: "Calendar",
  social: "Social",
  mailing_list: "Mailing list",
  automatic: "Automatic",
  suspicious: "Suspicious",
};
export const NEEDS = {
  reply: "Needs a reply",
  decision: "Needs a decision",
  task: "Needs doing",
  read: "To read",
  nothing: "Needs nothing",
};
export const URGENCY = { now: "Now", today: "Today", this_week: "This week", whenever: "Whenever" };
export const OWNERS = { me: "You", them: "They", someone_else: "Someone else" };
