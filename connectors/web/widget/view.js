// What people see and use; nothing of the network. What they do is passed to `act`.
import { render, safeLink } from "./markdown.js";
import { CSS } from "./style.js";
import { date, time, words } from "./i18n.js";

const MOST = 4000;
const SLOW_MS = 8_000;
const MASKED = /\[[a-z_]+_\d+\]/;

const BUBBLE = "M20.5 11.5a8 8 0 0 1-8 8h-8l1.6-3a8 8 0 1 1 14.4-5ZM9 10h7M9 13.5h4.5";
const CROSS = "M6 6l12 12M18 6 6 18";
const SEND = "M12 19V5M6 11l6-6 6 6";
const THUMB = "M7 11v9H4v-9ZM7 12l4-8c1.6 0 2.6 1.2 2.3 2.8L12.8 10H18c1.3 0 2.2 1.2 1.9 2.4l-1.5 6c-.2.9-1 1.6-2 1.6H7";

function el(name, attributes = {}, ...children) {
  const node = document.createElementNS(`http://www.w3.org/${/svg|path/.test(name) ? "2000/svg" : "1999/xhtml"}`, name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}

const div = (look, ...children) => el("div", { class: look }, ...children);
const icon = (d) => el("svg", { viewBox: "0 0 24 24", "aria-hidden": true }, el("path", { d }));
// Keys of an input method; some browsers tell it only by code 229.
const composing = (event) => event.isComposing || event.keyCode === 229;
const dayOf = (at) => new Date(at).toDateString();

export class View {
  constructor(options, act) {
    this.act = act;
    this.rows = new Map();
    this.unread = 0;
    this.day = dayOf(Date.now());
    this.build();
    this.host = el("div", { "data-parley": "" });
    this.root = this.host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    this.root.adoptedStyleSheets = [sheet];
    this.root.append(this.box);
    document.body.append(this.host);
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.dark.addEventListener("change", (this.repaint = () => this.theme()));
    this.theme(options.theme);
  }

  build() {
    const { open, close, toggle } = this.act;
    this.greeting = div("b");
    this.log = el("div", { role: "log", "aria-relevant": "additions", "aria-busy": true }, div("m", this.greeting));
    this.live = el("div", { class: "live", inert: "" });
    this.chips = div("chips");
    this.scroll = el("div", { class: "scroll", role: "region", tabindex: 0, onscroll: () => this.scrolled() }, this.log, this.live, this.chips);
    const resized = new ResizeObserver(() => this.away ? this.edge() : this.toEnd(this.last));
    for (const node of [this.log, this.scroll]) resized.observe(node);
    this.fresh = el("button", { class: "new", onclick: () => { this.toEnd(); this.rest(); } });
    this.title = el("h2");
    this.state = el("p");
    this.mark = el("span", { class: "mark", "aria-hidden": true });
    this.shut = el("button", { onclick: close }, icon(CROSS));
    this.note = el("div", { class: "note", role: "status" });
    this.input = el("textarea", { rows: 1, enterkeyhint: "send", oninput: () => this.typed(), onkeydown: (e) => this.key(e) });
    this.go = el("button", { onclick: () => this.submit() }, icon(SEND));
    this.hint = el("span");
    this.counter = el("span", { "aria-live": "polite" });
    this.panel = el("section", { class: "panel", role: "dialog", onkeydown: (e) => { if (e.key === "Escape" && !composing(e)) close(); } },
      div("head", this.mark, div("", this.title, this.state), this.shut),
      this.note, div("middle", this.scroll, this.fresh), div("form", this.input, this.go), div("foot", this.hint, this.counter));
    this.badge = el("span", { class: "badge" });
    this.launch = el("button", { class: "launch", onclick: toggle }, icon(BUBBLE), icon(CROSS), this.badge);
    this.panel.hidden = this.fresh.hidden = this.note.hidden = true;
    this.box = div("w", this.panel, this.launch);
  }

  theme(wanted = this.wanted ?? "auto") {
    this.wanted = wanted;
    this.box.dataset.theme = wanted === "auto" ? (this.dark.matches ? "dark" : "light") : wanted;
  }

  /** What the widget itself says, in another language; what was said before stays. */
  locale(locale, settings) {
    const w = (this.words = words(locale));
    const { name, greeting, suggestions } = settings?.assistant ?? {};
    const say = (texts = {}) => texts[locale] ?? Object.values(texts)[0];
    this.language = locale;
    this.box.lang = locale;
    this.bot = say(name) ?? w.bot;
    for (const node of [this.title, ...this.log.querySelectorAll(".who")]) node.textContent = this.bot;
    this.mark.textContent = [...this.bot][0];
    this.state.textContent = say(settings?.name) ?? "";
    this.panel.ariaLabel = `${w.title}: ${this.bot}`;
    this.scroll.ariaLabel = w.log;
    this.input.ariaLabel = w.input;
    this.shut.ariaLabel = w.close;
    this.go.ariaLabel = w.send;
    this.input.placeholder = w.placeholder;
    this.hint.textContent = w.hint;
    this.fresh.textContent = w.newMessages;
    const chip = (text) => el("button", { onclick: () => { this.act.send(text); this.rest(); } }, text);
    this.chips.replaceChildren(...(suggestions?.[locale] ?? []).map(chip));
    this.chips.hidden = this.begun;
    this.greeting.replaceChildren(...render(say(greeting) ?? "…"));
    this.count(this.unread);
    this.typed();
  }

  open(focus = true) {
    this.panel.hidden = false;
    this.count(0);
    this.typed();
    this.toEnd();
    if (focus) this.rest();
  }

  close() {
    const inside = this.panel.contains(this.root.activeElement);
    this.panel.hidden = true;
    this.count(0);
    if (inside) this.launch.focus();
  }

  get isOpen() {
    return !this.panel.hidden;
  }

  /** Focus; on a touch screen not the input, whose keyboard would hide half the panel. */
  rest() {
    (matchMedia("(pointer: coarse)").matches ? this.scroll : this.input).focus({ preventScroll: true });
  }

  count(unread) {
    this.unread = unread;
    this.badge.hidden = !unread;
    this.badge.textContent = unread;
    const more = unread ? ` (${unread} ${this.words.unread})` : "";
    this.launch.ariaExpanded = this.isOpen;
    this.launch.ariaLabel = (this.isOpen ? this.words.close : this.words.open) + more;
  }

  key(event) {
    if (event.key !== "Enter" || event.shiftKey || composing(event)) return;
    event.preventDefault();
    this.submit();
  }

  submit() {
    if (this.go.disabled) return;
    this.act.send(this.input.value);
    this.input.value = "";
    this.typed();
    this.input.focus();
  }

  typed() {
    const length = [...this.input.value.trim()].length;
    const left = MOST - length;
    this.go.disabled = !length || left < 0;
    this.counter.textContent = left < 0 ? `${this.words.tooLong} ${-left}` : left < 300 ? `${left} ${this.words.left}` : "";
    this.counter.className = left < 0 ? "over" : "";
    this.input.style.height = 0;
    this.input.style.height = `${this.input.scrollHeight + 2}px`;
  }

  row(id, look) {
    const row = { body: div("b"), meta: div("meta") };
    row.node = div(look, row.body, row.meta);
    this.rows.set(id, row);
    this.chips.hidden = this.begun = true;
    return row;
  }

  /** What waits stays at the end. */
  add(node) {
    this.log.insertBefore(node, node.matches(".wait") ? null : this.log.querySelector(".wait"));
    this.follow(node);
  }

  system(text) {
    this.add(div("sys", text));
  }

  dated(at) {
    if (dayOf(at) !== this.day) this.add(div("day", date(this.language, at)));
    this.day = dayOf(at);
  }

  /** A customer's message: as it waits, then (with `at`) as the log has it, for good. */
  mine(id, text, { at, since, note = "", bad = false }) {
    const row = this.rows.get(id) ?? this.row(id, "m me");
    if (row.at) return;
    Object.assign(row, { at, since, text });
    row.body.textContent = text;
    row.meta.textContent = at ? time(this.language, at) : note;
    if (at) this.dated(at);
    row.node.classList.toggle("wait", !at && !bad);
    row.node.classList.toggle("bad", bad);
    if (!row.node.isConnected) this.add(row.node);
    if (bad) this.rows.delete(id);
  }

  /** A message in the log; it may be one that waits here for its 202. */
  echo(id, text, at) {
    const until = Date.parse(at) + 60_000; // Clocks differ.
    const waiting = [...this.rows].find(([, row]) => !row.at && !row.sent && row.since < until && (row.text === text || MASKED.test(text)));
    if (waiting && !this.rows.has(id)) this.rename(waiting[0], id);
    this.mine(id, text, { at });
  }

  /** A message got its id; its echo may have come first. */
  rename(from, to) {
    const row = this.rows.get(from);
    this.rows.delete(from);
    if (this.rows.has(to)) row?.node.remove();
    else if (row) this.rows.set(to, Object.assign(row, { sent: true }));
  }

  /** Somebody else's message, a colleague's (who has a name) or the assistant's reply. An edited one takes its old place. */
  theirs({ message_id, reply_id = message_id, at, name, text, language = this.language, kind, citations = [], offer_human, edited }) {
    const w = this.words;
    const earlier = edited && this.rows.get(reply_id);
    if (earlier) {
      earlier.body.replaceChildren(...render(text));
      if (!earlier.edited) earlier.meta.append(el("span", {}, w.edited));
      earlier.edited = true;
      return;
    }
    this.dated(at);
    const { node, body, meta } = Object.assign(this.row(reply_id, "m"), { at });
    node.lang = language;
    body.append(...render(text));
    const links = citations.map((each) => safeLink(each.url, each.title));
    if (links.length) body.append(div("src", el("span", {}, w.sources), ...links));
    meta.append(el("span", { class: name === undefined ? "who" : "" }, name ?? this.bot), el("span", {}, time(this.language, at)));
    if (edited) meta.append(el("span", {}, w.edited));
    for (const [score, look, label] of kind === "answer" ? [[1, "rate", w.helpful], [-1, "rate down", w.unhelpful]] : []) {
      const onclick = (e) => this.rate(meta, e.currentTarget, reply_id, score);
      meta.append(el("button", { class: look, "aria-label": label, "aria-pressed": false, title: label, onclick }, icon(THUMB)));
    }
    if (offer_human) meta.append(el("button", { class: "ask", onclick: () => this.act.send(w.askHuman) }, w.human));
    this.add(node);
  }

  async rate(meta, thumb, reply_id, score) {
    try {
      await this.act.feedback(reply_id, score);
    } catch {
      return;
    }
    for (const each of meta.querySelectorAll(".rate")) each.ariaPressed = each === thumb;
    meta.querySelector("[role=status]")?.remove();
    meta.append(el("span", { role: "status" }, this.words.thanks));
  }

  stream(text, first) {
    if (first || !this.streaming) {
      this.streamed = "";
      this.streaming = div("b");
      this.live.replaceChildren(div("m", this.streaming));
    }
    this.streamed += text;
    this.streaming.replaceChildren(...render(this.streamed));
    this.follow(this.streaming);
  }

  typing(on) {
    if (this.streaming || on === this.live.hasChildNodes()) return;
    const dots = div("b dots", el("i"), el("i"), el("i"));
    this.live.replaceChildren(...(on ? [div("m", dots)] : []));
    if (on) this.follow(dots);
  }

  /** Whether a message waits for its answer: after a while that is said, once, until the answer begins. */
  waits(on) {
    if (on === !!this.slow) return;
    clearTimeout(this.slow);
    this.late?.remove();
    this.slow = on && setTimeout(() => this.streaming || this.add((this.late = div("sys", this.words.slow))), SLOW_MS);
  }

  clear() {
    this.streaming = undefined;
    this.live.replaceChildren();
  }

  /** Another conversation: only what waits stays. */
  forget() {
    for (const [id, row] of this.rows) if (row.at || row.sent) this.rows.delete(id);
    this.log.replaceChildren(this.log.firstChild, ...[...this.rows.values()].map((row) => row.node));
    this.day = dayOf(Date.now());
    this.chips.hidden = this.begun = this.rows.size > 0;
    this.clear();
    this.count(0);
  }

  banner(text) {
    this.note.hidden = !text;
    this.note.textContent = text;
  }

  ready() {
    this.banner("");
    this.log.ariaBusy = false; // What comes now is announced.
  }

  /** Show what came, from its beginning, unless somebody reads elsewhere. */
  follow(node) {
    if (this.away) this.fresh.hidden = false;
    else this.toEnd(node);
  }

  toEnd(node) {
    this.last = node;
    this.scroll.scrollTop = node ? node.offsetTop - 12 : this.scroll.scrollHeight;
    this.top = this.scroll.scrollTop;
    this.fresh.hidden = true;
    this.edge();
  }

  /** What goes on below fades out, since many browsers show no scroll bar before one scrolls. */
  edge() {
    this.scroll.classList.toggle("more", this.left > 8);
  }

  get left() {
    return this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight;
  }

  get away() {
    return Math.min(Math.abs(this.scroll.scrollTop - this.top), this.left) > 8;
  }

  scrolled() {
    this.edge();
    if (this.left > 8) return;
    this.top = this.scroll.scrollTop;
    this.fresh.hidden = true;
  }

  destroy() {
    clearTimeout(this.slow);
    this.dark.removeEventListener("change", this.repaint);
    this.host.remove();
  }
}
