// New content in the place of old without flicker: what is the same stays, and with it focus, scrolling and what is open.

const keyOf = (node) => node.dataset?.key ?? node.dataset?.message ?? node.firstElementChild?.dataset?.message;

function attributes(old, made) {
  for (const { name } of [...old.attributes]) if (!made.hasAttribute(name) && name !== "style" && name !== "open") old.removeAttribute(name);
  for (const { name, value } of made.attributes) if (name !== "style" && old.getAttribute(name) !== value) old.setAttribute(name, value);
  // The page's policy forbids style attributes; setting the property is allowed.
  if (old.style && old.style.cssText !== made.style.cssText) old.style.cssText = made.style.cssText;
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

// The same for a list in a pane that scrolls: an item that changed is exchanged as a whole, and what was in view stays.
export function replaceItems(pane, list, made) {
  const top = pane.getBoundingClientRect().top;
  const anchor = pane.scrollTop > 0 ? [...list.children].find((each) => each.getBoundingClientRect().bottom > top) : null;
  const key = anchor && keyOf(anchor);
  const before = anchor?.getBoundingClientRect().top;
  children(list, made, true);
  const after = anchor && [...list.children].find((each) => (key === undefined ? each === anchor : keyOf(each) === key));
  if (after) pane.scrollTop += after.getBoundingClientRect().top - before;
}
