// The left side: who said what and when, as it is spoken. What is not final yet stands in a list of its own, which is not announced.
import { ALERT, BULB, div, el, icon, span, time } from "./call-dom.js";
import { riskName, words } from "./call-words.js";

const LINES = { hold: "hold", resumed: "resumed", muted: "muted", unmuted: "unmuted", incomplete: "incomplete" };

export class Transcript {
  constructor(pane, act) {
    this.act = act;
    this.scroll = pane.querySelector(".scroll");
    this.log = pane.querySelector("[role=log]");
    this.live = pane.querySelector(".live");
    this.on = pane.querySelector(".on");
    this.heard = pane.querySelector(".heard");
    this.heard.addEventListener("change", () => this.rows.forEach((row) => this.write(row)));
    this.scroll.addEventListener("scroll", () => (this.away = this.left > 48));
    this.clear();
  }

  clear() {
    this.rows = new Map();
    this.partials = new Map();
    this.log.replaceChildren(div("empty", words.notBegun));
    this.live.replaceChildren();
    this.on.textContent = "";
    this.agent = words.human_agent;
    this.owned = this.away = this.heldAt = this.last = undefined;
  }

  begin(language) {
    this.log.replaceChildren();
    this.log.lang = this.live.lang = language;
  }

  get left() {
    return this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight;
  }

  clock(ms) {
    this.on.textContent = time(ms);
  }

  /** A piece of speech: partials replace each other; the message with this id will replace them. Mere noise becomes none. */
  segment({ segment_id, message_id, speaker, text, final, start_ms }) {
    if (this.rows.has(message_id)) return;
    const id = message_id ?? segment_id;
    this.overtake(speaker, start_ms, id);
    if (final && !text.trim()) return this.unsay(id);
    let row = this.partials.get(id);
    if (!row) {
      row = this.row(speaker, speaker === "customer" ? words.customer : this.agent, start_ms);
      Object.assign(row, { speaker, start_ms });
      this.partials.set(id, row);
      this.live.append(row.node);
    }
    row.final = final;
    row.node.classList.toggle("partial", !final);
    row.body.textContent = text || "…";
    this.follow();
  }

  /** Who begins to say something else will not finish what was never final. */
  overtake(speaker, start_ms, id) {
    for (const [other, row] of this.partials) {
      if (other !== id && row.speaker === speaker && !row.final && row.start_ms < start_ms) this.unsay(other);
    }
  }

  unsay(id) {
    this.partials.get(id)?.node.remove();
    this.partials.delete(id);
  }

  message({ message_id, from, name, text, original, start_ms, seq }) {
    if (this.rows.has(message_id)) return;
    this.unsay(message_id);
    if (from === "human_agent" && name) this.agent = name;
    const row = Object.assign(this.row(from, from === "customer" ? name ?? words.customer : this.agent, start_ms), { text, original, seq });
    this.rows.set(message_id, row);
    this.write(row);
    this.place(row.node, start_ms ?? 0);
  }

  row(from, name, start_ms) {
    const row = { body: div("said"), marks: span("marks") };
    row.node = div(`turn ${from === "customer" ? "customer" : "agent"}`, div("who", span("name", name), el("time", {}, time(start_ms)), row.marks), row.body);
    return row;
  }

  write(row) {
    row.body.textContent = (this.heard.checked && row.original) || row.text || "…";
  }

  /** In the order in which things began; mostly that is the end. */
  place(node, at) {
    node.dataset.at = at;
    const later = [...this.log.children].reverse();
    const before = later.find((each) => Number(each.dataset.at) <= at);
    this.log.insertBefore(node, before ? before.nextSibling : this.log.firstChild);
    this.last = Math.max(this.last ?? 0, at);
    this.follow();
  }

  flag(message_id, risks = []) {
    const row = this.rows.get(message_id);
    if (!row || !risks.length) return;
    row.node.classList.add("risky");
    row.marks.prepend(...risks.map(({ kind }) => span("badge risk", icon(ALERT), riskName(kind))));
    this.follow();
  }

  /** There is help for this turn, now and later. */
  helped(message_id) {
    const row = this.rows.get(message_id);
    if (!row || row.ask) return;
    row.ask = el("button", { type: "button", class: "ask", onclick: () => this.act.ask(message_id) }, icon(BULB), words.showHelp);
    row.marks.append(row.ask);
    this.follow();
  }

  line(text, at, look = "") {
    this.place(div(`line ${look}`, span("", text)), at);
  }

  state({ kind, at_ms, by }) {
    if (kind === "joined") return this.line(by === "customer" ? words.joinedCustomer : words.joinedAgent, at_ms);
    const lasted = kind === "resumed" && this.heldAt !== undefined ? ` · ${time(at_ms - this.heldAt)}` : "";
    if (kind === "hold") this.heldAt ??= at_ms;
    else if (kind === "resumed") this.heldAt = undefined;
    this.line(`${words[LINES[kind]] ?? kind}${lasted}`, at_ms, kind === "hold" ? "hold" : "");
  }

  /** Who speaks for the bank now: the first is no news, a later one is a transfer. */
  owner({ owner, name }) {
    if (owner !== "human" && owner !== "human_agent") return;
    if (this.owned && name && name !== this.owned) this.line(`${words.transfer} ${name}`, this.last ?? 0);
    if (name) this.owned = this.agent = name;
  }

  ended() {
    this.live.replaceChildren();
    this.partials.clear();
    this.line(words.ended, (this.last ?? 0) + 1);
  }

  goTo(seq) {
    const row = [...this.rows.values()].find((each) => each.seq === seq);
    if (!row) return;
    this.away = true;
    row.node.scrollIntoView({ block: "center" });
    row.node.classList.remove("found");
    void row.node.offsetWidth; // Begins the animation anew.
    row.node.classList.add("found");
  }

  /** Keep what is spoken in sight, unless somebody reads further up. */
  follow() {
    if (!this.away) this.scroll.scrollTop = this.scroll.scrollHeight;
  }
}
