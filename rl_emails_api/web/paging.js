// A listing that is read page by page: loading, failing, empty, more; and read again where it stands when mail has come.

import { get } from "./api.js";
import { failure, fill, h, skeleton } from "./dom.js";
import { replaceItems } from "./keep.js";

const shown = new Set();

// Read what is shown again, without losing the place in it.
export const refresh = () => Promise.all([...shown].map((reread) => reread()));

// `first` is the first page where it has been read already; `counted` is told how many items stand there, and whether more follow.
export function readPages({ path, query = () => ({}), list, foot, draw, none, end = () => null, first = null, counted = () => {} }) {
  let count = 0;
  let isBusy = false;
  shown.add(reread);
  if (first) take(first, null);
  else load(null);

  async function load(cursor) {
    isBusy = true;
    fill(foot, skeleton(cursor ? 2 : 6));
    let page;
    try {
      page = await get(path, { ...query(), cursor });
    } catch (error) {
      fill(foot, failure(error, () => load(cursor)));
      return;
    } finally {
      isBusy = false;
    }
    take(page, cursor);
  }

  function take(page, cursor) {
    count += 1;
    draw(list, page, !cursor);
    finish(page, !cursor && !page.items.length);
  }

  function finish(page, isEmpty) {
    const more = () => load(page.next_cursor);
    if (page.next_cursor) fill(foot, h("button", { type: "button", class: "more", on: { click: more } }, "Show more"));
    else fill(foot, isEmpty ? none() : end());
    counted(list.childElementCount, Boolean(page.next_cursor));
  }

  async function reread() {
    if (isBusy || !count) return;
    if (!list.isConnected) {
      shown.delete(reread);
      return;
    }
    isBusy = true;
    const pages = [];
    try {
      do pages.push(await get(path, { ...query(), cursor: pages.at(-1)?.next_cursor }));
      while (pages.at(-1).next_cursor && pages.length < count);
    } catch {
      // What is shown stays; the line about freshness tells that the server does not answer.
      return;
    } finally {
      isBusy = false;
    }
    if (!list.isConnected) return;
    const made = list.cloneNode(false);
    pages.forEach((page, index) => draw(made, page, index === 0));
    const above = replaceItems(list.closest(".pane"), list, made);
    count = pages.length;
    finish(pages.at(-1), !pages[0].items.length);
    window.dispatchEvent(new CustomEvent("arrived", { detail: above }));
  }
}
