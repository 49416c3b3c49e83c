// The first minutes: no mailbox is here yet. Two ways to change that, and what happens then.

import { chosen } from "./api.js";
import { act, fill, h, toast } from "./dom.js";
import { connect } from "./fresh.js";

const COMMAND = "rl-emails import PATH --mailbox ADDRESS";

export function show(pane) {
  fill(
    pane,
    h(
      "div",
      { class: "guide" },
      h("div", {}, h("h1", { id: "view-title" }, "Bring your mail"), h("p", { class: "muted" }, "No mailbox yet. What you connect or import is read on this machine, and nothing of it leaves it unless you say so.")),
      h("div", { class: "ways" }, chosen.canConnect ? gmail() : null, file(), sample()),
      h(
        "section",
        { class: "card", "aria-label": "What happens then" },
        h("h2", {}, "What happens then"),
        h("ol", {}, h("li", {}, "The newest mail comes first, and the list appears here by itself within seconds."), h("li", {}, "Each message gets what it needs, how soon, its tasks, and a score with the reasons that add up to it."), h("li", {}, "Where a score is wrong, press ", h("kbd", {}, "!"), ". The next ones are ranked by what you said.")),
      ),
    ),
  );
}

const way = (name, ...inside) => h("section", { class: "card", "aria-label": name }, h("h2", {}, name), inside);

const gmail = () => way("Connect Gmail", h("p", {}, "Google asks you to let us read your mail. We keep nothing but what is shown here, and you end it in the settings."), h("p", {}, connect()));

function file() {
  return way(
    "Import files",
    h("p", {}, "An mbox file (Gmail: takeout.google.com, Mail only), a Maildir, or a folder of .eml files. In a terminal on this machine:"),
    command(COMMAND),
    h("p", { class: "muted small" }, "PATH is the file or folder, ADDRESS is yours: it tells which messages you wrote."),
  );
}

const sample = () => way("Look around first", h("p", {}, "A mailbox of invented people, to try everything on:"), command("rl-emails demo"));

const command = (text) =>
  h("div", { class: "command" }, h("code", {}, text), act("Copy", async () => {
    await navigator.clipboard.writeText(text);
    toast("Copied.");
  }, { "aria-label": `Copy: ${text}` }));
