// A listing that is read page by page: loading, failing, empty, more.

import { get } from "./api.js";
import { failure, fill, h, skeleton } from "./dom.js";

export function readPages({ path, query = {}, foot, draw, none, end = () => null }) {
  load(null);

  async function load(cursor) {
    fill(foot, skeleton(cursor ? 2 : 6));
    let page;
    try {
      page = await get(path, { ...query, cursor });
    } catch (error) {
      fill(foot, failure(error, () => load(cursor)));
      return;
    }
    draw(page, !cursor);
    const more = () => load(page.next_cursor);
    if (page.next_cursor) fill(foot, h("button", { type: "button", class: "more", on: { click: more } }, "Show more"));
    else fill(foot, !cursor && !page.items.length ? none() : end());
  }
}
