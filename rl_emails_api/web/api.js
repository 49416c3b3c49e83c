// Requests to /v1. A failure becomes an Error whose message is the problem document's detail.

export const chosen = { mailbox: null, mailboxes: [] };

async function send(path, params = {}, init = {}) {
  const url = new URL(path, location.origin);
  if (chosen.mailbox && init.isOfMailbox !== false) url.searchParams.set("mailbox", chosen.mailbox.mailbox_id);
  for (const [name, value] of Object.entries(params)) {
    for (const each of [value].flat()) if (each !== null && each !== undefined && each !== "") url.searchParams.append(name, each);
  }
  let response;
  try {
    response = await fetch(url, { credentials: "same-origin", ...init });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    const failed = new Error("The server does not answer. Is rl-emails running?");
    failed.isAway = true;
    throw failed;
  }
  if (response.status === 304) return null;
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}));
    const failed = new Error(problem.detail || `The server answered ${response.status}.`);
    failed.status = response.status;
    if (response.status === 401) window.dispatchEvent(new Event("signed-out"));
    throw failed;
  }
  if (response.status === 204) return null;
  const body = await response.json();
  if (init.tag) init.tag.value = response.headers.get("ETag");
  return body;
}

export const get = (path, params, signal) => send(path, params, { signal });

// As get, for what belongs to a person or an organization and not to a mailbox.
export const getOwn = (path, params) => send(path, params, { isOfMailbox: false });

// As get, or null while the answer is the one that `tag` was kept from.
export const getChanged = (path, tag) => send(path, {}, { tag, headers: tag.value ? { "If-None-Match": tag.value } : {} });

const write = (method, path, body, more = {}) =>
  send(path, {}, { method, headers: { "Content-Type": "application/json", ...more.headers }, body: JSON.stringify(body ?? {}), isOfMailbox: more.isOfMailbox });

export const post = (path, body, headers) => write("POST", path, body, { headers });
export const put = (path, body) => write("PUT", path, body);

// A change of what belongs to a person or an organization.
export const change = (method, path, body) => write(method, path, body, { isOfMailbox: false });

// A key by which a request that is sent twice counts once.
export function onceKey() {
  return { "Idempotency-Key": [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("") };
}

// Addresses of what the browser fetches by itself: the framed HTML and downloads.
export function address(path, params = {}) {
  const query = new URLSearchParams(params);
  if (chosen.mailbox) query.set("mailbox", chosen.mailbox.mailbox_id);
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}
