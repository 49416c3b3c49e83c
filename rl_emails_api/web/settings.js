// Settings: this browser, the mailboxes, and what belongs to a person or an organization; each part asks the server by itself.

import { DENSITIES, THEMES, density, setDensity, setTheme, theme } from "./appearance.js";
import { change, chosen } from "./api.js";
import { act, chip, choice, fill, h, hidden, title, toast } from "./dom.js";
import { FRESHNESS } from "./format.js";
import { connect, sentence } from "./fresh.js";
import { KEYMAP } from "./keymap.js";
import { link } from "./route.js";

const TABS = [["", "This browser"], ["mailboxes", "Mailboxes"], ["members", "Members"], ["access", "Devices and keys"], ["privacy", "Privacy"], ["audit", "Audit log"]];
const PARTS = {
  members: () => import("./members.js"),
  access: () => import("./access.js"),
  privacy: () => import("./privacy.js"),
  audit: () => import("./audit.js"),
};

export async function show(pane, params) {
  const tab = TABS.some(([name]) => name === params.get("tab")) ? params.get("tab") : "";
  const content = h("div", { class: "settings" });
  const tabs = TABS.map(([name, text]) => h("a", { href: link("settings", { tab: name }), "aria-current": name === tab ? "page" : null }, text));
  fill(pane, title("Settings"), h("nav", { class: "tabs", "aria-label": "Settings" }, tabs), content);
  if (PARTS[tab]) (await PARTS[tab]()).show(content);
  else if (tab === "mailboxes") mailboxes(content);
  else browser(content);
}

export const setting = (name, about, ...control) => h("div", { class: "setting" }, h("div", {}, h("p", {}, name), about ? h("p", { class: "muted small" }, about) : null), h("div", { class: "side" }, control));

function browser(content) {
  const again = (set) => (value) => {
    set(value);
    browser(content);
  };
  const trusted = JSON.parse(localStorage.getItem("rl-emails images") || "[]");
  fill(
    content,
    h(
      "section",
      { class: "card", "aria-label": "Appearance" },
      h("h2", {}, "Appearance"),
      setting("Colours", "D changes between light and dark.", choice("Colours", THEMES, theme(), again(setTheme))),
      setting("Lines of the list", "Dense shows more of them.", choice("Lines of the list", DENSITIES, density(), again(setDensity))),
    ),
    h(
      "section",
      { class: "card", "aria-label": "Privacy in this browser" },
      h("h2", {}, "Kept in this browser"),
      setting("Notifications", "This page sends none, and asks for no right to.", h("span", { class: "muted" }, "Off")),
      setting(
        "Images of senders",
        trusted.length ? trusted.join(", ") : "Remote images are shown for nobody until you ask, message by message.",
        trusted.length ? h("button", { type: "button", on: { click: () => (localStorage.removeItem("rl-emails images"), browser(content)) } }, "Forget them") : null,
      ),
    ),
    h(
      "section",
      { class: "card", "aria-label": "Keyboard" },
      h("h2", {}, "Keyboard"),
      h("dl", { class: "keys" }, KEYMAP.map(({ keys, text }) => h("div", {}, h("dt", {}, keys.map((key) => h("kbd", {}, key))), h("dd", {}, text)))),
    ),
  );
}

function mailboxes(content) {
  fill(
    content,
    chosen.mailboxes.map((each) =>
      h(
        "section",
        { class: "card", "aria-label": each.address },
        h("div", { class: "card-top" }, h("h2", {}, each.address), chip(each.is_shared ? "Shared" : "Personal")),
        h("p", {}, chip(sentence(each), FRESHNESS[each.freshness][1]), " ", h("span", { class: "muted small" }, each.provider === "gmail" ? "Gmail" : "Imported from files")),
        h("div", { class: "side" }, each.is_shared === undefined ? null : share(each), each.freshness === "reconnect_needed" ? connect("Connect again", each.address) : null, disconnect(each)),
      ),
    ),
    h("p", { class: "ends" }, chosen.canConnect ? connect("Connect a Gmail account") : h("span", { class: "muted" }, "To import another: ", h("code", {}, "rl-emails import PATH --mailbox ADDRESS"))),
  );
}

function share(mailbox) {
  return act(mailbox.is_shared ? "Make it personal" : "Share it with the organization", async () => {
    await change("PATCH", `/v1/mailboxes/${mailbox.mailbox_id}`, { is_shared: !mailbox.is_shared });
    toast(mailbox.is_shared ? "Only you see it now." : "Every member of the organization sees it now.");
    window.dispatchEvent(new Event("mailboxes"));
  });
}

// Erasing needs the address typed: the one step here that cannot be undone.
function disconnect(mailbox) {
  const box = h("input", { type: "text", "aria-label": `Type ${mailbox.address} to confirm`, autocomplete: "off", spellcheck: "false" });
  const sure = act("Disconnect and erase", async () => {
    if (box.value.trim().toLowerCase() !== mailbox.address.toLowerCase()) {
      toast("The address is not the mailbox's.", "bad");
      return;
    }
    await change("DELETE", `/v1/connections/${mailbox.mailbox_id}`);
    toast("Being disconnected. Its mail is erased here; at the provider it stays.");
    window.dispatchEvent(new Event("mailboxes"));
  }, { class: "danger" });
  return h(
    "details",
    { class: "fold" },
    h("summary", {}, "Disconnect", hidden(` ${mailbox.address}`)),
    h("p", { class: "small" }, "Ends our access and erases everything kept of it here. Mail at the provider stays. This cannot be undone. Type the address to confirm:"),
    h("div", { class: "form-line" }, box, sure),
  );
}
