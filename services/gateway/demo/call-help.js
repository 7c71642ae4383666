// The right side while they speak: what the last turn is about, what to be careful with, and what the agent could answer.
import { render, safeLink } from "/widget/markdown.js";
import { ALERT, div, el, icon, span } from "./call-dom.js";
import { entityName, intentName, riskName, words } from "./call-words.js";

const SURE = 0.5;

export class Help {
  constructor(panel) {
    this.panel = panel;
    this.risks = div("risks");
    this.turn = div("card turnbox");
    this.answer = el("section", { class: "card answer", "aria-live": "polite", tabindex: -1 });
    this.next = div("card next");
    this.clear();
  }

  clear() {
    this.turns = new Map();
    this.kinds = new Map();
    this.latest = this.pinned = this.last = undefined;
    this.panel.replaceChildren(div("empty", words.noHelp));
  }

  begin(language) {
    for (const card of [this.risks, this.turn, this.answer, this.next]) card.replaceChildren();
    this.next.hidden = true;
    this.title = this.shown = undefined;
    this.showRisks();
    this.turn.append(el("p", { class: "label" }, words.lastTurn), el("p", { class: "quiet" }, words.listening));
    this.answer.append(el("p", { class: "label" }, words.suggested), el("p", { class: "quiet" }, words.noAnswer));
    for (const card of [this.turn, this.answer, this.next]) card.lang = document.documentElement.lang;
    this.language = language;
    this.panel.replaceChildren(this.risks, this.turn, this.answer, this.next);
  }

  of(id) {
    if (!this.turns.has(id)) this.turns.set(id, {});
    return this.turns.get(id);
  }

  said({ message_id, from, text }) {
    if (from === "customer") this.of(message_id).text = text;
  }

  read(read) {
    Object.assign(this.of(read.message_id), { read });
    for (const { kind, evidence } of read.risks ?? []) this.kinds.set(kind, evidence);
    this.showRisks();
    this.last = read.message_id;
    this.showTurn(read.message_id);
    this.nameAnswer();
  }

  /** One without text and articles tells that nothing was found; what was suggested before stays to be looked at. */
  suggestion(suggestion) {
    Object.assign(this.of(suggestion.answers), { suggestion });
    this.latest = suggestion.answers;
    if (this.pinned === undefined) this.showAnswer(this.latest);
  }

  /** The help for an earlier turn, until the next one is asked for or the latest again. */
  pin(id) {
    this.pinned = id === this.latest ? undefined : id;
    this.showAnswer(id);
    this.answer.focus({ preventScroll: true });
    this.answer.scrollIntoView({ block: "nearest" });
  }

  /** Its place is there from the beginning, so that nothing moves when there is something to be careful with. */
  showRisks() {
    this.risks.classList.toggle("some", this.kinds.size > 0);
    const badges = [...this.kinds].map(([kind, evidence]) =>
      el("li", { class: "risk" }, icon(ALERT), el("strong", {}, riskName(kind)), span("evidence", evidence ? words.quote(evidence) : "")));
    this.risks.replaceChildren(el("p", { class: "label" }, words.careful), badges.length ? el("ul", {}, ...badges) : el("p", { class: "quiet" }, words.noRisks));
  }

  showTurn(id) {
    const { text = "", read } = this.turns.get(id);
    const [best, ...others] = read.intents ?? [];
    const parts = [el("p", { class: "label" }, words.lastTurn), el("blockquote", { lang: this.language }, text)];
    parts.push(best ? this.intent(best) : el("p", { class: "quiet" }, words.noIntent));
    const chips = (read.entities ?? []).map(({ kind, text: said, value }) => span("chip", span("kind", entityName(kind)), value || said));
    if (best && best.probability < SURE) chips.unshift(...others.slice(0, 2).map((each) => span("chip maybe", `${intentName(each)} ${percent(each)}`)));
    if (chips.length) parts.push(div("chips", ...chips));
    this.turn.replaceChildren(...parts);
  }

  intent(intent) {
    const share = Math.round(intent.probability * 100);
    const bar = el("svg", { class: "sure", viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": true },
      el("rect", { class: "track", width: 100, height: 6 }), el("rect", { class: "fill", width: share, height: 6 }));
    return div("intent", el("strong", {}, intentName(intent)), bar, span("share", span("away", `${words.sure} `), `${share} %`));
  }

  ended() {
    if (this.latest === undefined) this.answer.lastChild.textContent = words.noneMade;
  }

  showAnswer(id) {
    const { text = "", suggestion } = this.turns.get(id) ?? {};
    if (!suggestion) return;
    const copy = el("button", { type: "button", class: "small", onclick: () => this.copy(copy, suggestion.text) }, words.copy);
    copy.hidden = !suggestion.text;
    this.shown = id;
    this.title = el("p", { class: "label" });
    this.nameAnswer();
    const about = el("p", { class: "about", lang: this.language }, words.quote(text));
    const said = suggestion.text ? el("div", { class: "text", lang: this.language }, ...render(suggestion.text)) : el("p", { class: "quiet" }, words.nothingFound);
    this.answer.replaceChildren(div("cardhead", this.title, copy), about, said);
    const sources = (suggestion.citations ?? []).map(({ url, title }) => el("li", {}, safeLink(url, title)));
    if (sources.length) this.answer.append(div("sources", el("p", { class: "label" }, words.sources), el("ol", { lang: this.language }, ...sources)));
    if (this.pinned !== undefined) {
      this.answer.append(el("button", { type: "button", class: "small", onclick: () => this.pin(this.latest) }, words.toLatest));
    }
    const next = (suggestion.next_articles ?? []).map(({ url, title }) => el("li", {}, safeLink(url, title)));
    this.next.hidden = !next.length;
    this.next.replaceChildren(el("p", { class: "label" }, words.next), el("ul", { lang: this.language }, ...next));
  }

  /** The last turn stands above the answer: one that is to another turn says so. */
  nameAnswer() {
    if (this.title) this.title.textContent = this.last === undefined || this.shown === this.last ? words.suggested : words.suggestedElse;
  }

  async copy(button, text) {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = words.copied;
    } catch {
      button.textContent = words.notCopied;
    }
  }
}

const percent = ({ probability }) => `${Math.round(probability * 100)} %`;
