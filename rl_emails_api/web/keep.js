// New content in the place of old without flicker: what is the same stays, and with it focus, scrolling and what is open.

const keyOf = (node) => node.dataset?.key ?? node.dataset?.message ?? node.firstElementChild?.dataset?.message;
// What the person did to an item, which a newer copy of it does not know.
const KEPT = ["tabindex", "aria-checked", "aria-current", "href"];

function attributes(old, made) {
  for (const { name } of [...old.attributes]) if (!made.hasAttribute(name) && name !== "style" && name !== "open") old.removeAttribute(name);
  for (const { name, value } of made.attributes) if (name !== "style" && old.getAttribute(name) !== value) old.setAttribute(name, value);
  // The page's policy forbids style attributes; setting the property is allowed.
  if (old.style && old.style.cssText !== made.style.cssText) old.style.cssText = made.style.cssText;
}

function carry(old, made) {
  for (const selector of [".row[data-message]", ".pick"]) {
    const [from, to] = [old.querySelector(selector), made.querySelector(selector)];
    if (!from || !to) continue;
    for (const name of KEPT) {
      if (from.hasAttribute(name)) to.setAttribute(name, from.getAttribute(name));
      else to.removeAttribute(name);
    }
  }
}

function swap(old, made) {
  const hasFocus = old.contains(document.activeElement);
  old.replaceWith(made);
  if (hasFocus) made.querySelector("a, button")?.focus({ preventScroll: true });
}

function patch(old, made, isWhole) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== made.data) old.data = made.data;
  } else if (isWhole && keyOf(made) !== undefined) {
    carry(old, made);
    if (!old.isEqualNode(made)) swap(old, made);
  } else {
    attributes(old, made);
    children(old, made, isWhole);
  }
}

function children(old, made, isWhole) {
  const wanted = new Set([...made.children].map(keyOf));
  const keyed = new Map();
  for (const child of [...old.children]) {
    const key = keyOf(child);
    if (key === undefined) continue;
    if (wanted.has(key)) keyed.set(key, child);
    else child.remove();
  }
  let place = old.firstChild;
  for (const next of [...made.childNodes]) {
    const key = keyOf(next);
    const here = place && key === undefined && keyOf(place) === undefined && place.nodeName === next.nodeName ? place : null;
    const match = key === undefined ? here : keyed.get(key);
    if (!match) {
      old.insertBefore(next, place);
      continue;
    }
    if (match === place) place = place.nextSibling;
    else old.insertBefore(match, place);
    patch(match, next, isWhole);
  }
  while (place) {
    const after = place.nextSibling;
    place.remove();
    place = after;
  }
}

// Everything in `place` becomes what is in `made`; controls keep their handlers, so those must not close over what changes.
export const replaceWith = (place, made) => children(place, made, false);

// The item that must not move: the one with the focus, else the one under the pointer, else the first in view once scrolled.
function anchorIn(pane) {
  const items = [...pane.querySelectorAll("li, .task-groups > *")].filter((each) => keyOf(each) !== undefined || pane.scrollTop > 0);
  const box = pane.getBoundingClientRect();
  const isSeen = (each) => each.getBoundingClientRect().bottom > box.top && each.getBoundingClientRect().top < box.bottom;
  const held = items.find((each) => each.contains(document.activeElement) && isSeen(each)) || items.find((each) => each.matches(":hover"));
  return held || (pane.scrollTop > 0 ? items.find(isSeen) : null);
}

// The same for a list in a pane that scrolls: an item that changed is exchanged as a whole, and what was in view stays.
// Returns how many new items stand above what can be seen.
export function replaceItems(pane, list, made) {
  const anchor = anchorIn(pane);
  const key = anchor && keyOf(anchor);
  const before = anchor?.getBoundingClientRect().top;
  const known = new Set([...list.children].map(keyOf));
  children(list, made, true);
  const after = anchor && (key === undefined ? (anchor.isConnected ? anchor : null) : [...pane.querySelectorAll("li, section, details")].find((each) => keyOf(each) === key));
  if (after) pane.scrollTop += after.getBoundingClientRect().top - before;
  const top = pane.getBoundingClientRect().top;
  return [...list.children].filter((each) => !known.has(keyOf(each)) && each.getBoundingClientRect().bottom <= top + 1).length;
}
