// A small part of Markdown as DOM nodes. Text is never parsed as HTML.
const INLINE = /\*\*([^*]+)\*\*|\[([^\]]+)\]\(([^)\s]+)\)/;
const ITEM = /^\s*(?:([-*+])|(\d+)[.)])\s+(.*)$/;
const HEADING = /^#+\s+/;

const el = (name, ...children) => {
  const node = document.createElement(name);
  node.append(...children);
  return node;
};

/** A link, if it is http(s) or a path on the gateway; else text. */
export function safeLink(url, text) {
  const link = el("a", text);
  try {
    link.href = new URL(url, new URL("/", import.meta.url)).href;
  } catch {}
  if (!/^https?:$/.test(link.protocol)) return text;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  return link;
}

const inline = (text) =>
  text.split(INLINE).map((part = "", n, parts) => {
    const kind = n % 4; // text, bold, label, address
    if (kind === 1 && part) return el("strong", part);
    if (kind === 2 && part) return safeLink(parts[n + 1], part);
    return kind ? "" : part;
  });

const cells = (line) =>
  line.trim().replace(/^\||(?<!\\)\|$/g, "").split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));

const row = (line, name) =>
  el("tr", ...cells(line).map((text) => {
    const cell = el(name, ...inline(text));
    if (name === "th") cell.scope = "col";
    if (/\d/.test(text) && text.length < 14) cell.className = "num"; // A price is read in one piece.
    return cell;
  }));

function table([head, , ...body]) {
  const box = el("div", el("table", el("thead", row(head, "th")), el("tbody", ...body.map((line) => row(line, "td")))));
  box.className = "table";
  box.tabIndex = 0;
  return box;
}

function block(part) {
  const lines = part.split("\n").filter((line) => line.trim());
  const first = lines.findIndex((line) => ITEM.test(line));
  if (lines[0].includes("|") && /^[\s|:-]+$/.test(lines[1])) return table(lines);
  if (first > 0) return el("div", block(lines.slice(0, first).join("\n")), block(lines.slice(first).join("\n")));
  if (first === 0 && lines.every((line) => ITEM.test(line))) {
    return el(ITEM.exec(lines[0])[2] ? "ol" : "ul", ...lines.map((line) => el("li", ...inline(ITEM.exec(line)[3]))));
  }
  return el("p", ...lines.flatMap((line, n) => [
    n ? el("br") : "", ...(HEADING.test(line) ? [el("strong", line.replace(HEADING, ""))] : inline(line)),
  ]));
}

export const render = (text) => text.split(/\n\s*\n/).filter((part) => part.trim()).map(block);
