// The organization: its people, their roles, and invitations.

import { change, getOwn } from "./api.js";
import { act, chip, empty, failure, fill, h, skeleton, toast } from "./dom.js";
import { shortDate } from "./format.js";
import { setting } from "./settings.js";

const ROLES = [["member", "Member"], ["admin", "Admin"], ["owner", "Owner"]];
const roleName = (role) => ROLES.find(([value]) => value === role)?.[1] || role;

export async function show(content) {
  fill(content, skeleton(4));
  let organization;
  let members;
  let me;
  let invitations = null;
  try {
    [organization, members, me] = await Promise.all([getOwn("/v1/organization"), getOwn("/v1/organization/members", { limit: 200 }), getOwn("/v1/me")]);
    const isAllowed = ["owner", "admin"].includes(organization.role) && organization.managed_by === "rl-emails" && me.credential !== "local" && !organization.is_personal;
    if (isAllowed) invitations = await getOwn("/v1/organization/invitations");
  } catch (error) {
    fill(content, [403, 404].includes(error.status) ? empty("No members to show", error.message) : failure(error, () => show(content)));
    return;
  }
  fill(
    content,
    h(
      "section",
      { class: "card", "aria-label": "Organization" },
      h("div", { class: "card-top" }, h("h2", {}, organization.name), chip(`You: ${roleName(organization.role)}`)),
      h("p", { class: "muted small" }, organization.managed_by === "rl-emails" ? "Members see every shared mailbox and their own." : "Names, members and roles are changed at the identity provider."),
      members.items.map((each) => member(each, content, Boolean(invitations))),
    ),
    invitations ? invited(invitations.items, content) : uninvited(me, organization),
  );
}

// Why nobody can be invited from here, and what to do about it.
function uninvited(me, organization) {
  const card = (...inside) => h("section", { class: "card", "aria-label": "Invitations" }, h("h2", {}, "Invitations"), inside);
  if (me.credential === "local") return card(h("p", { class: "muted" }, "Inviting others needs an identity provider that they sign in at: ", h("code", {}, "RL_EMAILS_OIDC_ISSUER"), "."));
  if (!organization.is_personal || organization.managed_by !== "rl-emails") return null;
  const name = h("input", { type: "text", "aria-label": "Name of the organization", placeholder: "Name of the organization", required: true, maxlength: 100 });
  const form = h("form", { class: "form-line" }, name, h("button", { type: "submit", class: "primary" }, "Make it"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const made = await change("POST", "/v1/organizations", { name: name.value });
      await change("POST", "/v1/me/organization", { organization_id: made.organization_id });
      location.assign("/#/settings?tab=members");
      location.reload();
    } catch (error) {
      toast(error.message, "bad");
    }
  });
  return card(h("p", { class: "muted" }, "This organization is yours alone. Make one for several people to invite them."), form);
}

const nameOf = (each) => each.display_name || each.address || "Somebody";

function member(each, content, canChange) {
  const role = h("select", { "aria-label": `Role of ${nameOf(each)}` }, ROLES.map(([value, text]) => h("option", { value, selected: value === each.role }, text)));
  role.addEventListener("change", async () => {
    try {
      await change("PATCH", `/v1/organization/members/${each.user_id}`, { role: role.value });
      toast(`${nameOf(each)}: ${roleName(role.value)}.`);
    } catch (error) {
      toast(error.message, "bad");
      show(content);
    }
  });
  const remove = act("Remove", async () => {
    if (remove.dataset.sure) {
      await change("DELETE", `/v1/organization/members/${each.user_id}`);
      await show(content);
    } else {
      remove.dataset.sure = "yes";
      remove.textContent = "Remove for good";
    }
  }, { "aria-label": `Remove ${nameOf(each)}` });
  return setting(
    [nameOf(each), each.is_you ? " (you)" : ""],
    [each.display_name ? `${each.address}, ` : "", `since ${shortDate(each.joined_at)}`, each.is_deactivated ? ", deactivated" : ""],
    canChange && !each.is_you ? [role, remove] : chip(roleName(each.role)),
  );
}

function invited(items, content) {
  const address = h("input", { type: "email", "aria-label": "Address to invite", placeholder: "name@example.org", required: true });
  const role = h("select", { "aria-label": "As" }, ROLES.slice(0, 2).map(([value, text]) => h("option", { value }, text)));
  const told = h("div", { role: "status" });
  const form = h("form", { class: "form-line" }, h("label", {}, h("span", { class: "label" }, "Address"), address), role, h("button", { type: "submit", class: "primary" }, "Invite"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const made = await change("POST", "/v1/organization/invitations", { address: address.value, role: role.value });
      fill(told, secret("Send this link to them. It is shown once.", made.link));
      form.reset();
    } catch (error) {
      toast(error.message, "bad");
    }
  });
  return h(
    "section",
    { class: "card", "aria-label": "Invitations" },
    h("h2", {}, "Invitations"),
    items.map((each) =>
      setting(each.address, `${roleName(each.role)}, ${each.is_expired ? "expired" : `until ${shortDate(each.expires_at)}`}`, act("Withdraw", async () => {
        await change("DELETE", `/v1/organization/invitations/${each.invitation_id}`);
        await show(content);
      }, { "aria-label": `Withdraw the invitation of ${each.address}` }))),
    form,
    told,
  );
}

// Something that is shown once, with a button that copies it.
export function secret(text, value) {
  return h("div", {}, h("p", { class: "small" }, text), h("div", { class: "secret" }, h("code", {}, value), act("Copy", async () => {
    await navigator.clipboard.writeText(value);
    toast("Copied.");
  })));
}

// The page that an invitation's link opens.
export async function accept(pane, token) {
  const button = act("Join", async () => {
    const joined = await change("POST", "/v1/invitations/accept", { token });
    await change("POST", "/v1/me/organization", { organization_id: joined.organization_id });
    location.assign("/");
  }, { class: "primary" });
  fill(pane, h("div", { class: "empty" }, h("h1", { id: "view-title" }, "You are invited"), h("p", {}, "Join the organization that sent you this link. Its shared mailboxes are yours to see then; your own stay yours."), button));
}
