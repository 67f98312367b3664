// Elements from plain calls, and a way to bring what is shown up to date without disturbing it.

const SVG = "http://www.w3.org/2000/svg";

export function h(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function s(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "style") Object.entries(value).forEach(([key, text]) => element.style.setProperty(key, text));
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((one) => one !== null && one !== undefined && one !== false));
  return element;
}

// Makes `from` what `to` is. Focus, selection, scrolling, open details and what somebody types stay.
export function morph(from, to) {
  const active = document.activeElement;
  patch(from, to);
  if (active && active !== document.activeElement && active.isConnected) active.focus({ preventScroll: true });
}

function patch(from, to) {
  if (!isSame(from, to)) return from.replaceWith(to);
  if (from.nodeType === Node.TEXT_NODE) {
    if (from.data !== to.data) from.data = to.data;
    return;
  }
  if ("keep" in from.dataset) return;
  patchAttributes(from, to);
  if (from.nodeName === "INPUT" && /^(checkbox|radio)$/.test(from.type)) from.checked = to.checked;
  patchChildren(from, to);
}

const keyOf = (node) => node.dataset?.key;

function isSame(one, other) {
  return one.nodeType === other.nodeType && one.nodeName === other.nodeName && keyOf(one) === keyOf(other);
}

function patchAttributes(from, to) {
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && !isPersons(from, name)) from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) {
    if (isPersons(from, name)) continue;
    if (name === "style") from.style.cssText = to.style.cssText;
    else if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
}

// What a person changes, not the page.
function isPersons(element, name) {
  return (name === "open" && element.nodeName === "DETAILS") || (name === "style" && "ownStyle" in element.dataset);
}

function patchChildren(from, to) {
  const keyed = new Map();
  for (const child of from.childNodes) if (keyOf(child)) keyed.set(keyOf(child), child);
  let place = from.firstChild;
  for (const wanted of [...to.childNodes]) {
    const known = keyOf(wanted) ? keyed.get(keyOf(wanted)) : null;
    if (known && known !== place && isSame(known, wanted)) from.insertBefore(known, place);
    const present = known ?? place;
    if (present && isSame(present, wanted)) {
      place = present.nextSibling;
      patch(present, wanted);
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
