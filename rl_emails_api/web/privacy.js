// Taking one's data along, and having it erased, each with a receipt.

import { change, chosen, getOwn } from "./api.js";
import { act, empty, fill, h, toast } from "./dom.js";
import { fullTime, number } from "./format.js";

export async function show(content) {
  const receipts = h("div", {}, h("p", { class: "muted" }, "Reading…"));
  const picker = h("select", { "aria-label": "Mailbox to export" }, chosen.mailboxes.map((each) => h("option", { value: each.address, selected: each === chosen.mailbox }, each.address)));
  fill(
    content,
    h(
      "section",
      { class: "card", "aria-label": "Export" },
      h("h2", {}, "Take your data along"),
      h("p", {}, "Everything kept of a mailbox: the mail as it came, what was made of it, and what you said about it."),
      h("div", { class: "side" }, picker, act("Export", async () => {
        await download({ kind: "mailbox", address: picker.value });
      })),
    ),
    h(
      "section",
      { class: "card", "aria-label": "Erasure" },
      h("h2", {}, "Erase"),
      h("p", {}, "A mailbox is erased under Mailboxes. Here it is a person: every message from them, to them or naming them in your mailboxes, with its vectors and tasks and what was learned from it. It does not come back."),
      erasure(receipts),
    ),
    h("section", { class: "card", "aria-label": "Receipts" }, h("h2", {}, "Receipts"), receipts),
  );
  await list(receipts);
}

async function download(body) {
  const url = new URL("/v1/privacy/export", location.origin);
  const response = await fetch(url, { method: "POST", credentials: "same-origin", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  if (!response.ok) throw new Error((await response.json().catch(() => ({}))).detail || `The server answered ${response.status}.`);
  const name = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") || "")?.[1] || "export.zip";
  const address = URL.createObjectURL(await response.blob());
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

function erasure(receipts) {
  const address = h("input", { type: "email", "aria-label": "Address of the person", placeholder: "person@example.org" });
  const again = h("input", { type: "email", "aria-label": "The same address again", autocomplete: "off" });
  const button = act("Erase this person", async () => {
    await change("POST", "/v1/privacy/erase", { kind: "person", address: address.value, confirmation: again.value });
    toast("Being erased. The receipt is below.");
    address.value = again.value = "";
    await list(receipts);
  }, { class: "danger" });
  return h("div", { class: "form-line" }, h("label", {}, h("span", { class: "label" }, "Address"), address), h("label", {}, h("span", { class: "label" }, "The same again"), again), button);
}

async function list(place) {
  try {
    const { items } = await getOwn("/v1/privacy/receipts");
    fill(
      place,
      items.length
        ? h("ul", {}, items.map((each) =>
            h("li", { class: "setting" }, h("details", { class: "fold" }, h("summary", {}, `A ${each.kind}, ${fullTime(each.asked_at)}: ${each.state}`), h("ul", {}, each.error ? h("li", { class: "danger" }, each.error) : null, Object.entries(each.removed).map(([name, count]) => h("li", {}, `${name}: ${number(count)} removed`)), each.kept.map(({ what, why }) => h("li", {}, `Kept: ${what}. ${why}`)))))))
        : h("p", { class: "muted" }, "None yet."),
    );
  } catch (error) {
    fill(place, error.status === 404 || error.status === 403 ? h("p", { class: "muted" }, error.message) : empty("Receipts could not be loaded", error.message));
  }
}
