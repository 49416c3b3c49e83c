// Requests to /v1. A failure becomes an Error whose message is the problem document's detail.

export const chosen = { mailbox: null, mailboxes: [] };

async function send(path, params = {}, init = {}) {
  const url = new URL(path, location.origin);
  if (chosen.mailbox) url.searchParams.set("mailbox", chosen.mailbox.mailbox_id);
  for (const [name, value] of Object.entries(params)) {
    for (const each of [value].flat()) if (each !== null && each !== undefined && each !== "") url.searchParams.append(name, each);
  }
  let response;
  try {
    response = await fetch(url, { credentials: "same-origin", ...init });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server does not answer. Is rl-emails running?");
  }
  if (response.status === 304) return null;
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}));
    const failed = new Error(problem.detail || `The server answered ${response.status}.`);
    failed.status = response.status;
    throw failed;
  }
  const body = await response.json();
  if (init.tag) init.tag.value = response.headers.get("ETag");
  return body;
}

export const get = (path, params, signal) => send(path, params, { signal });

// As get, or null while the answer is the one that `tag` was kept from.
export const getChanged = (path, tag) => send(path, {}, { tag, headers: tag.value ? { "If-None-Match": tag.value } : {} });

export const post = (path, body) =>
  send(path, {}, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}) });

// Addresses of what the browser fetches by itself: the framed HTML and downloads.
export function address(path) {
  return chosen.mailbox ? `${path}?mailbox=${encodeURIComponent(chosen.mailbox.mailbox_id)}` : path;
}
