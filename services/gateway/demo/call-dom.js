// Small makers of nodes. Text is never parsed as HTML, and nothing has a style of its own.
const SVG = /^(?:svg|path|line|polyline|circle|rect)$/;

export function el(name, attributes = {}, ...children) {
  const node = document.createElementNS(`http://www.w3.org/${SVG.test(name) ? "2000/svg" : "1999/xhtml"}`, name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}

export const div = (look, ...children) => el("div", { class: look }, ...children);
export const span = (look, ...children) => el("span", { class: look }, ...children);
export const icon = (d) => el("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": true }, el("path", { d }));

export const ALERT = "M12 4 2.8 20h18.4ZM12 10v5M12 17.6v.2";
export const BULB = "M9 18h6M10 21h4M8.5 14.5a6 6 0 1 1 7 0c-.6.5-1 1.2-1 2v1.5h-5V16.5c0-.8-.4-1.5-1-2Z";
export const TICK = "m5 12.5 4.5 4.5L19 7.5";
export const CROSS = "M7 7l10 10M17 7 7 17";

/** Milliseconds as `1:05`. */
export function time(ms) {
  const seconds = Math.floor((ms ?? 0) / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
