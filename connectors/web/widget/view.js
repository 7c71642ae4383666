// What people see and use. Holds the page's elements and nothing of the network; acts are passed to `act(name, …)`.
import { render, safeLink } from "./markdown.js";
import { CSS } from "./style.js";
import { time, words } from "./i18n.js";

const MOST = 4000;
const NEAR = 300;
const SVG = "http://www.w3.org/2000/svg";

function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") node.className = value;
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value === true) node.setAttribute(key, "");
    else if (value !== false && value != null) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

const BUBBLE = "M21 12a8 8 0 0 1-8 8H4l2-3.2A8 8 0 1 1 21 12Z M9 11h8 M9 14.5h5";
const THUMB_UP = "M7 11v9H4v-9Z M7 12l4-8c1.6 0 2.6 1.2 2.3 2.8L12.8 10H18c1.300 0 2.200 1.200 1.900 2.400l-1.500 6c-.2.9-1 1.600-2 1.600H7";
const THUMB_DOWN = "M17 13V4h3v9Z M17 12l-4 8c-1.600 0-2.600-1.200-2.300-2.800L11.200 14H6c-1.300 0-2.200-1.200-1.900-2.400l1.500-6C5.8 4.700 6.600 4 7.600 4H17";

function icon(shape) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", shape);
  svg.append(path);
  return svg;
}

export class View {
  constructor(options, act) {
    this.act = act;
    this.origin = options.origin;
    this.host = el("div", { "data-parley": true });
    this.root = this.host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    this.root.adoptedStyleSheets = [sheet];
    this.rows = new Map();
    this.unread = 0;
    this.build();
    document.body.append(this.host);
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.dark.addEventListener("change", (this.repaint = () => this.theme()));
    this.theme(options.theme);
  }

  build() {
    this.log = el("div", { role: "log", "aria-live": "polite", "aria-relevant": "additions", tabindex: "-1" });
    this.live = el("div", { class: "live", "aria-hidden": "true" });
    this.chips = el("div", { class: "chips" });
    this.scroll = el("div", { class: "scroll", tabindex: "0", onscroll: () => this.scrolled() }, this.log, this.live, this.chips);
    this.fresh = el("button", { class: "new", type: "button", hidden: true, onclick: () => this.toEnd() });
    this.title = el("h2");
    this.state = el("p");
    this.mark = el("span", { class: "mark", "aria-hidden": "true" });
    this.shut = el("button", { type: "button", onclick: () => this.act("close") }, "×");
    this.note = el("div", { class: "note", role: "status", hidden: true });
    this.input = el("textarea", { rows: "1", enterkeyhint: "send", oninput: () => this.count(), onkeydown: (e) => this.key(e) });
    this.button = el("button", { disabled: true });
    this.hint = el("span");
    this.counter = el("span", { "aria-live": "polite" });
    const form = el("form", { onsubmit: (e) => { e.preventDefault(); this.submit(); } }, this.input, this.button);
    this.panel = el("section", { class: "panel", role: "dialog", hidden: true, onkeydown: (e) => e.key === "Escape" && this.act("close") },
      el("header", {}, this.mark, el("div", {}, this.title, this.state), this.shut),
      this.note, this.scroll, this.fresh, form, el("div", { class: "foot" }, this.hint, this.counter));
    this.badge = el("span", { class: "badge", hidden: true });
    this.launch = el("button", { class: "launch", type: "button", "aria-expanded": "false", onclick: () => this.act("toggle") }, icon(BUBBLE), this.badge);
    this.root.append(this.panel, this.launch);
  }

  theme(wanted = this.wanted ?? "auto") {
    this.wanted = wanted;
    this.host.dataset.theme = wanted === "auto" ? (this.dark.matches ? "dark" : "light") : wanted;
  }

  /** Everything that is said by the widget itself, in another language; what was said before stays as it was. */
  locale(locale, settings) {
    this.words = words(locale);
    this.language = locale;
    this.settings = settings ?? this.settings;
    const w = this.words;
    const say = (texts) => texts?.[locale] ?? Object.values(texts ?? {})[0] ?? "";
    this.host.lang = locale === "zh" ? "zh-CN" : locale;
    const name = say(this.settings?.assistant?.name) || w.bot;
    this.bot = name;
    this.title.textContent = name;
    this.mark.textContent = [...name][0] ?? "";
    this.state.textContent = say(this.settings?.name);
    this.panel.setAttribute("aria-label", `${w.title}: ${name}`);
    this.log.setAttribute("aria-label", w.log);
    this.scroll.setAttribute("aria-label", w.log);
    this.scroll.setAttribute("role", "region");
    this.shut.setAttribute("aria-label", w.close);
    this.input.setAttribute("aria-label", w.input);
    this.input.placeholder = w.placeholder;
    this.button.textContent = w.send;
    this.hint.textContent = w.hint;
    this.fresh.textContent = w.newMessages;
    this.tellLauncher();
    const texts = this.settings?.assistant?.suggestions?.[locale] ?? [];
    this.chips.replaceChildren(...texts.map((text) => el("button", { type: "button", onclick: () => this.act("send", text) }, text)));
    if (!this.greeting) this.add((this.greeting = this.row("greeting", "bot")).node);
    this.greeting.body.replaceChildren(...render(say(this.settings?.assistant?.greeting) || "…", this.origin));
    this.count();
  }

  open() {
    this.panel.hidden = false;
    this.launch.setAttribute("aria-expanded", "true");
    this.unread = 0;
    this.tellLauncher();
    this.toEnd();
    this.input.focus();
  }

  close() {
    const inside = this.panel.contains(this.root.activeElement);
    this.panel.hidden = true;
    this.launch.setAttribute("aria-expanded", "false");
    this.tellLauncher();
    if (inside) this.launch.focus();
  }

  get isOpen() {
    return !this.panel.hidden;
  }

  tellLauncher() {
    this.badge.hidden = !this.unread;
    this.badge.textContent = this.unread;
    const unread = this.unread ? ` (${this.unread} ${this.words.unread})` : "";
    this.launch.setAttribute("aria-label", (this.isOpen ? this.words.close : this.words.open) + unread);
  }

  key(event) {
    // Enter during an input method's composition picks a character; some browsers tell it only by code 229.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.submit();
  }

  submit() {
    const text = this.input.value.trim();
    if (!text || [...text].length > MOST) return;
    this.input.value = "";
    this.count();
    this.act("send", text);
  }

  count() {
    const length = [...this.input.value.trim()].length;
    const left = MOST - length;
    this.button.disabled = !length || left < 0;
    this.counter.textContent = left < 0 ? `${this.words.tooLong} ${-left}` : left < NEAR ? `${left} ${this.words.left}` : "";
    this.counter.className = left < 0 ? "over" : "";
  }

  row(id, who) {
    const body = el("div", { class: "b" });
    const meta = el("div", { class: "meta" });
    const node = el("div", { class: who === "me" ? "m me" : "m" }, body, meta);
    const row = { node, body, meta };
    this.rows.set(id, row);
    return row;
  }

  add(node) {
    const stay = this.atEnd();
    this.log.append(node);
    this.follow(stay);
  }

  system(text) {
    this.add(el("div", { class: "sys" }, text));
  }

  /** A customer's message: first as it waits, then as it was accepted; an echo of a known one changes nothing. */
  mine(id, text, state, at, reason) {
    this.chips.replaceChildren();
    const row = this.rows.get(id) ?? this.row(id, "me");
    row.body.textContent = text;
    if (!row.node.isConnected) this.add(row.node);
    row.node.classList.toggle("bad", state === "refused");
    const w = this.words;
    row.meta.textContent = { waiting: w.waiting, refused: `${w.failed}: ${reason}` }[state] ?? (at ? time(this.language, at) : "");
  }

  /** A message got its id; where its echo came first, that one stays. */
  rename(from, to) {
    const row = this.rows.get(from);
    this.rows.delete(from);
    if (this.rows.has(to)) row?.node.remove();
    else if (row) this.rows.set(to, row);
  }

  colleague(id, name, text, at) {
    if (this.rows.has(id)) return;
    const row = this.row(id, "bot");
    row.body.append(...render(text, this.origin));
    row.meta.textContent = `${name} · ${time(this.language, at)}`;
    this.add(row.node);
    this.arrived();
  }

  /** The finished reply takes the place of what was streamed; the log announces it once. */
  reply(data) {
    const stay = this.atEnd();
    this.clear();
    if (stay) this.toEnd();
    if (this.rows.has(data.reply_id)) return;
    const row = this.row(data.reply_id, "bot");
    row.node.lang = data.language === "zh" ? "zh-CN" : data.language;
    row.body.append(...render(data.text, this.origin));
    if (data.citations?.length) row.body.append(this.sources(data.citations));
    row.meta.textContent = `${this.bot} · ${time(this.language, data.at)}`;
    row.node.append(this.acts(data));
    this.add(row.node);
    this.arrived();
  }

  sources(citations) {
    const links = citations.map(({ title, url }) => safeLink(url, title, this.origin));
    return el("div", { class: "src" }, el("span", {}, `${this.words.sources}:`), ...links);
  }

  acts(data) {
    const box = el("div", { class: "acts" });
    if (data.kind === "answer") {
      const thumbs = [[1, THUMB_UP, this.words.helpful], [-1, THUMB_DOWN, this.words.unhelpful]].map(([score, shape, label]) =>
        el("button", { type: "button", "aria-pressed": "false", "aria-label": label, title: label, onclick: (e) => this.rate(box, e.currentTarget, data.reply_id, score) }, icon(shape)));
      box.append(...thumbs);
    }
    if (data.offer_human) {
      box.append(el("button", { type: "button", onclick: () => this.act("send", this.words.askHuman) }, this.words.human));
    }
    return box;
  }

  async rate(box, button, reply_id, score) {
    try {
      await this.act("feedback", reply_id, score);
    } catch {
      return;
    }
    for (const each of box.querySelectorAll("[aria-pressed]")) each.setAttribute("aria-pressed", String(each === button));
    box.querySelector("[role=status]")?.remove();
    box.append(el("span", { role: "status" }, this.words.thanks));
  }

  stream(text) {
    const stay = this.atEnd();
    if (!this.streaming) {
      this.streamed = "";
      this.streaming = el("div", { class: "b" });
      this.live.replaceChildren(el("div", { class: "m" }, this.streaming));
    }
    this.streamed += text;
    this.streaming.replaceChildren(...render(this.streamed, this.origin));
    this.follow(stay);
  }

  typing(on) {
    if (this.streaming) return;
    const stay = this.atEnd();
    const dots = el("span", { class: "dots" }, el("i"), el("i"), el("i"));
    this.live.replaceChildren(...(on ? [el("div", { class: "m" }, el("div", { class: "b" }, dots))] : []));
    this.follow(stay);
  }

  clear() {
    this.streaming = undefined;
    this.live.replaceChildren();
  }

  banner(text) {
    this.note.hidden = !text;
    this.note.textContent = text ?? "";
  }


  arrived() {
    if (this.isOpen) return;
    this.unread += 1;
    this.tellLauncher();
  }

  atEnd() {
    return this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight < 80;
  }

  follow(stay) {
    if (stay) this.toEnd();
    else this.fresh.hidden = false;
  }

  toEnd() {
    this.scroll.scrollTop = this.scroll.scrollHeight;
    this.fresh.hidden = true;
  }

  scrolled() {
    if (this.atEnd()) this.fresh.hidden = true;
  }

  destroy() {
    this.dark.removeEventListener("change", this.repaint);
    this.host.remove();
  }
}
