// What may act in a person's name: devices where they are signed in, and API keys.

import { change, getOwn } from "./api.js";
import { act, chip, empty, failure, fill, h, skeleton, toast } from "./dom.js";
import { ago, shortDate } from "./format.js";
import { secret } from "./members.js";
import { setting } from "./settings.js";

const DAYS = [["30", "30 days"], ["90", "90 days"], ["365", "A year"]];

export async function show(content) {
  fill(content, skeleton(4));
  let me;
  let sessions;
  let keys;
  try {
    [me, sessions, keys] = await Promise.all([getOwn("/v1/me"), getOwn("/v1/me/sessions"), getOwn("/v1/me/keys")]);
  } catch (error) {
    fill(content, [403, 404].includes(error.status) ? empty("Nothing to show here", error.message) : failure(error, () => show(content)));
    return;
  }
  fill(content, person(me, content), devices(sessions.items, content), apiKeys(keys.items, me.scopes, content));
}

// Who one is, where one acts, and the way out.
function person(me, content) {
  const where = h("select", { "aria-label": "Organization" }, me.organizations.map((each) => h("option", { value: each.organization_id, selected: each.organization_id === me.organization.organization_id }, each.name)));
  where.addEventListener("change", async () => {
    try {
      await change("POST", "/v1/me/organization", { organization_id: where.value });
      location.assign("/");
    } catch (error) {
      toast(error.message, "bad");
      show(content);
    }
  });
  const out = act("Sign out", async () => {
    location.assign((await change("POST", "/auth/logout")).next);
  });
  return h(
    "section",
    { class: "card", "aria-label": "You" },
    h("h2", {}, "You"),
    setting(me.user.display_name || me.user.address || "The owner of this installation", me.user.display_name ? me.user.address : "", me.organizations.length > 1 ? where : chip(me.organization.name), me.credential === "session" ? out : null),
  );
}

function devices(items, content) {
  return h(
    "section",
    { class: "card", "aria-label": "Devices" },
    h("h2", {}, "Devices"),
    items.length
      ? items.map((each) => {
          const name = each.device || "A browser";
          return setting(
            [name, each.is_current ? [" ", chip("This one", "good")] : null],
            `Signed in ${shortDate(each.created_at)}, last seen ${ago(each.last_seen_at)}`,
            act("Sign out", async () => {
              await change("DELETE", `/v1/me/sessions/${each.session_id}`);
              if (each.is_current) location.assign("/");
              else await show(content);
            }, { "aria-label": `Sign out ${name}` }),
          );
        })
      : h("p", { class: "muted" }, "Nobody signs in here: the link with the token opens the inbox."),
  );
}

function apiKeys(items, scopes, content) {
  const name = h("input", { type: "text", "aria-label": "Name of the key", placeholder: "What it is for", required: true, maxlength: 100 });
  const days = h("select", { "aria-label": "Expires after" }, DAYS.map(([value, text]) => h("option", { value }, text)));
  const told = h("div", { role: "status" });
  const boxes = scopes.map((scope) => h("input", { type: "checkbox", value: scope, checked: scope === "mail:read" }));
  const form = h(
    "form",
    {},
    h("div", { class: "form-line" }, h("label", {}, h("span", { class: "label" }, "Name"), name), days, h("button", { type: "submit", class: "primary" }, "Make a key")),
    h("details", { class: "fold" }, h("summary", {}, "What it may do"), h("ul", {}, boxes.map((box) => h("li", {}, h("label", {}, box, " ", h("code", {}, box.value)))))),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const made = await change("POST", "/v1/me/keys", { name: name.value, scopes: boxes.filter((box) => box.checked).map((box) => box.value), expires_at: new Date(Date.now() + Number(days.value) * 86400000).toISOString() });
      await show(content);
      fill(content.querySelector(".new-key"), secret("This key is shown once. Only a hash of it is kept.", made.key));
    } catch (error) {
      toast(error.message, "bad");
    }
  });
  return h(
    "section",
    { class: "card", "aria-label": "API keys" },
    h("h2", {}, "API keys"),
    h("div", { class: "new-key", role: "status" }),
    items.map((each) =>
      setting(
        [each.name, " ", h("code", { class: "muted" }, `${each.prefix}…`)],
        [each.scopes.join(", "), `, until ${shortDate(each.expires_at)}`, each.last_used_at ? `, last used ${ago(each.last_used_at)}` : ", never used"],
        act("Revoke", async () => {
          await change("DELETE", `/v1/me/keys/${each.api_key_id}`);
          await show(content);
        }, { "aria-label": `Revoke ${each.name}` }),
      )),
    form,
    told,
  );
}
