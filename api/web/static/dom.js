// Elements without markup in strings: text stays text, whatever a name holds.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function s(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

// Put new content in place without losing the reader's focus or unfolded parts.
export function replaceContent(host, ...children) {
  const active = document.activeElement;
  const focused = host.contains(active) ? active.dataset.key : null;
  const unfolded = [...host.querySelectorAll("details[open]")].map((details) => details.dataset.key);
  host.replaceChildren(...children);
  for (const details of host.querySelectorAll("details")) {
    if (unfolded.includes(details.dataset.key)) details.open = true;
  }
  if (focused) host.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}
