// A small part of Markdown as DOM nodes: paragraphs, lists, tables, bold, links. Text is never parsed as HTML.
const INLINE = /\*\*([^*]+)\*\*|\[([^\]]+)\]\(([^)\s]+)\)/g;
const ITEM = /^\s*(?:([-*+])|(\d+)[.)])\s+(.*)$/;

const el = (name, ...children) => {
  const node = document.createElement(name);
  node.append(...children);
  return node;
};

/** A link that may be followed: http(s), or a path on this site. Anything else is only text. */
export function safeLink(url, text, origin) {
  let target;
  try {
    target = new URL(url, origin);
  } catch {
    return document.createTextNode(text);
  }
  if (!/^https?:$/.test(target.protocol)) return document.createTextNode(text);
  const link = el("a", text);
  link.href = target.href;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  return link;
}

function inline(text, origin) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > from) nodes.push(text.slice(from, match.index));
    nodes.push(match[1] ? el("strong", match[1]) : safeLink(match[3], match[2], origin));
    from = match.index + match[0].length;
  }
  if (from < text.length) nodes.push(text.slice(from));
  return nodes;
}

const cells = (line) => line.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/).map((cell) => cell.trim());

function table(lines, origin) {
  const head = el("tr", ...cells(lines[0]).map((cell) => Object.assign(el("th", ...inline(cell, origin)), { scope: "col" })));
  const rows = lines.slice(2).map((line) => el("tr", ...cells(line).map((cell) => el("td", ...inline(cell, origin)))));
  const box = el("div", el("table", el("thead", head), el("tbody", ...rows)));
  box.className = "table";
  box.tabIndex = 0;
  return box;
}

function list(lines, origin) {
  const ordered = ITEM.exec(lines[0])[2] !== undefined;
  return el(ordered ? "ol" : "ul", ...lines.map((line) => el("li", ...inline(ITEM.exec(line)?.[3] ?? line, origin))));
}

function block(text, origin) {
  const lines = text.split("\n").filter((line) => line.trim());
  if (lines.length > 1 && lines[0].includes("|") && /^[\s|:-]+$/.test(lines[1])) return table(lines, origin);
  if (lines.length && lines.every((line) => ITEM.test(line))) return list(lines, origin);
  const at = lines.findIndex((line) => ITEM.test(line));
  if (at > 0) return el("div", block(lines.slice(0, at).join("\n"), origin), block(lines.slice(at).join("\n"), origin));
  return el("p", ...lines.flatMap((line, n) => [...(n ? [el("br")] : []), ...inline(line.replace(/^#+\s+/, ""), origin)]));
}

/** The text as nodes, one a block. */
export const render = (text, origin) =>
  text.split(/\n\s*\n/).filter((part) => part.trim()).map((part) => block(part, origin));
