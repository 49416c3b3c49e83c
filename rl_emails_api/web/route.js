// The place in the page is the part of the address after #: a view and its parameters; `m` is the message that is open.

export const VIEWS = ["inbox", "tasks", "projects", "people", "search", "status"];
const ALL = [...VIEWS, "settings", "invitation"];

export function current() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  return { view: ALL.includes(path) ? path : "inbox", params: new URLSearchParams(query) };
}

export function link(view, params = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) if (value !== null && value !== undefined && value !== "") query.set(name, value);
  const text = query.toString();
  return `#/${view}${text ? `?${text}` : ""}`;
}

// The present place with some parameters changed; null takes one away.
export function changed(changes) {
  const { view, params } = current();
  return link(view, { ...Object.fromEntries(params), ...changes });
}

export const go = (hash, { replace = false } = {}) => {
  if (!replace) location.hash = hash;
  else {
    history.replaceState(null, "", hash);
    window.dispatchEvent(new HashChangeEvent("hashchange"));
  }
};
