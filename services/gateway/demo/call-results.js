// The right side after the call: what it came to.
import { CROSS, TICK, div, el, icon, span } from "./call-dom.js";
import { checkName, day, sideName, words } from "./call-words.js";

const WIDTH = 320;
const HEIGHT = 84;
const EDGE = 8;

export class Results {
  constructor(panel, goTo) {
    Object.assign(this, { panel, goTo });
    this.clear();
  }

  clear() {
    this.customer = [];
    this.panel.replaceChildren();
  }

  said({ from, seq }) {
    if (from === "customer") this.customer.push(seq);
  }

  /** The call has ended, and what it came to is being found out. */
  wait() {
    this.panel.replaceChildren(div("empty", words.preparing));
  }

  show(analysis) {
    const { language, summary, topics = [], promises = [], sentiment = {}, checks = [] } = analysis;
    this.language = language;
    this.panel.replaceChildren(
      card(words.summary, el("p", { class: "summary", lang: language }, summary || words.none)),
      card(words.topics, topics.length ? el("ul", { class: "topics", lang: language }, ...topics.map((each) => this.topic(each))) : nothing()),
      card(words.promises, promises.length ? el("ul", { class: "promises" }, ...promises.map((each) => this.promise(each))) : nothing()),
      card(words.checks, checks.length ? el("ul", { class: "checks" }, ...checks.map((each) => this.check(each))) : nothing()),
      card(words.sentiment, ...this.sentiment(sentiment)),
      el("p", { class: "made" }, [analysis.vendor, analysis.product, analysis.product_version].filter(Boolean).join(" · ")),
    );
    this.panel.scrollTop = 0;
  }

  /** A button that leads to the turn. */
  turn(seq) {
    return seq ? el("button", { type: "button", class: "to", "aria-label": words.showTurn, onclick: () => this.goTo(seq) }, words.show) : "";
  }

  topic({ label, share }) {
    return el("li", { class: "chip" }, label, span("kind", `${Math.round(share * 100)} %`));
  }

  promise({ by, text, due, seq }) {
    const when = due ? el("time", { class: "due", datetime: due }, `${words.due} ${day(due)}`) : span("due open", words.noDue);
    return el("li", {}, div("what", span("by", sideName(by)), el("span", { lang: this.language }, text)), div("when", when, this.turn(seq)));
  }

  check({ id, passed, seq }) {
    const state = passed ? words.passed : words.failed;
    return el("li", { class: passed ? "passed" : "failed" }, span("tick", icon(passed ? TICK : CROSS)), span("", checkName(id)), span("state", state), this.turn(seq));
  }

  sentiment({ turns = [], customer = 0, customer_began = 0, customer_ended = 0 }) {
    const scores = new Map(turns.map(({ seq, score }) => [seq, score]));
    const seqs = this.customer.length ? this.customer : turns.map(({ seq }) => seq);
    const points = seqs.map((seq, at) => [
      EDGE + (at * (WIDTH - 2 * EDGE)) / Math.max(1, seqs.length - 1),
      HEIGHT / 2 - (scores.get(seq) ?? 0) * (HEIGHT / 2 - EDGE),
      scores.get(seq) ?? 0,
    ]);
    const told = words.mood(...[customer_began, customer_ended, customer].map(mood));
    const chart = el("svg", { class: "mood", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": told },
      el("line", { class: "zero", x1: 0, x2: WIDTH, y1: HEIGHT / 2, y2: HEIGHT / 2 }),
      el("polyline", { class: "path", points: points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ") }),
      ...points.filter(([, , score]) => score).map(([x, y, score]) => el("circle", { class: score > 0 ? "good" : "bad", cx: x.toFixed(1), cy: y.toFixed(1), r: 4 })));
    return [chart, el("p", { class: "quiet" }, told)];
  }
}

const card = (title, ...children) => el("section", { class: "card" }, el("h3", { class: "label" }, title), ...children);
const nothing = () => el("p", { class: "quiet" }, words.none);
const mood = (score) => (score > 0.15 ? words.good : score < -0.15 ? words.bad : words.neutral);
