// Elements, and how a screen that was drawn anew is laid over the one that is there.
// All text goes in as text: nothing in these files writes markup from data.

const SVG = "http://www.w3.org/2000/svg";

function build(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "plot") element.plot = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === "") continue;
    element.append(child);
  }
  return element;
}

/** An HTML element. Children are elements or text. */
export const h = (tag, attributes, ...children) =>
  build(document.createElement(tag), attributes, children);

/** An SVG element. */
export const s = (tag, attributes, ...children) =>
  build(document.createElementNS(SVG, tag), attributes, children);

/** A name from an event: text, in a direction of its own. */
export const name = (text) => h("bdi", {}, text);

/** Make `from` look like `to`, and keep what stays: the focus, the scroll, what is under the pointer. */
export function lay(from, to) {
  const held = document.activeElement;
  morph(from, to);
  // A row that changed its place was taken out for a moment.
  if (held && held !== document.activeElement && held.isConnected && held !== document.body)
    held.focus({ preventScroll: true });
}

const keyOf = (node) => (node.nodeType === 1 ? node.getAttribute("data-key") : null);
const alike = (a, b) => a.nodeName === b.nodeName && keyOf(a) === keyOf(b);

function morph(from, to) {
  if (from.nodeType !== 1) {
    if (from.data !== to.data) from.data = to.data;
    return;
  }
  attributes(from, to);
  from.plot = to.plot;
  const keyed = new Map();
  for (const child of from.childNodes) if (keyOf(child) !== null) keyed.set(keyOf(child), child);
  let place = from.firstChild;
  for (const wanted of [...to.childNodes]) {
    const key = keyOf(wanted);
    const known = key === null ? place : keyed.get(key);
    if (known && alike(known, wanted)) {
      if (known !== place) from.insertBefore(known, place);
      else place = place.nextSibling;
      morph(known, wanted);
    } else {
      from.insertBefore(wanted, place);
    }
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

function attributes(from, to) {
  for (const { name: attribute, value } of [...to.attributes])
    if (from.getAttribute(attribute) !== value) from.setAttribute(attribute, value);
  for (const { name: attribute } of [...from.attributes])
    // What a person opened stays open.
    if (!to.hasAttribute(attribute) && !(from.nodeName === "DETAILS" && attribute === "open"))
      from.removeAttribute(attribute);
}
