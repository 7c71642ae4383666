// The call page put together: what is asked for, the stream of the call, and where each frame is shown.
import { CallStream, Refused, begin } from "./call-stream.js";
import { Help } from "./call-help.js";
import { Results } from "./call-results.js";
import { Transcript } from "./call-transcript.js";
import { words } from "./call-words.js";

const desk = document.querySelector(".desk");
const find = (look) => desk.querySelector(look);
const form = find(".controls");
const [play, restart, banner, through] = [".play", ".restart", ".banner", ".through"].map(find);
const tabs = [...desk.querySelectorAll("[role=tab]")];

const help = new Help(find("#help"));
const transcript = new Transcript(find(".talk"), { ask: (id) => { show("help"); help.pin(id); } });
const results = new Results(find("#results"), (seq) => transcript.goTo(seq));
// The longest silence of an example call is shorter: after it one that went on without us would have been heard again.
const QUIET_MS = 30_000;
let stream, quiet;

/** One of the two views on the right. */
function show(name) {
  for (const tab of tabs) {
    const chosen = tab.id === `tab-${name}`;
    tab.ariaSelected = chosen;
    tab.tabIndex = chosen ? 0 : -1;
    document.getElementById(tab.getAttribute("aria-controls")).hidden = !chosen;
  }
}

function say(text = "") {
  banner.textContent = text;
  banner.hidden = !text;
}

function running(now) {
  desk.classList.toggle("running", now);
  play.disabled = now;
}

function progress(ms) {
  through.value = Math.max(through.value, Math.min(ms, through.max));
  transcript.clock(through.value);
}

function finish() {
  running(false);
  stream?.stop();
}

/** After a lost connection the call may have ended with the server that played it: then nothing comes any more. */
function listenAgain() {
  clearTimeout(quiet);
  quiet = setTimeout(() => { say(words.brokenOff); finish(); }, QUIET_MS);
}

const why = (error) => (error instanceof Refused ? words.refusals[error.status] ?? words.refusals.other : words.refusals.unreachable);

// Frames, and what the stream tells by itself (docs/calls.md).
const events = {
  segment: (s) => { transcript.segment(s); progress(s.end_ms); },
  message: (m) => { transcript.message(m); help.said(m); results.said(m); progress(m.end_ms ?? 0); },
  read: (r) => { help.read(r); transcript.flag(r.message_id, r.risks); },
  suggestion: (s) => { help.suggestion(s); if (s.text || s.next_articles?.length) transcript.helped(s.answers); },
  state: (s) => { transcript.state(s); progress(s.at_ms); },
  owner: (o) => transcript.owner(o),
  closed: () => {
    progress(through.max);
    transcript.ended();
    help.ended();
    results.wait();
    tabs[1].disabled = false;
    running(false);
  },
  analysis: ({ analysis }) => {
    results.show(analysis);
    tabs[1].disabled = false;
    show("results");
    finish();
  },
  connected: () => say(),
  lost: () => { say(words.reconnecting); if (play.disabled) listenAgain(); },
  gone: () => { say(words.gone); finish(); },
};

async function start() {
  stream?.stop();
  clearTimeout(quiet);
  say();
  for (const part of [transcript, help, results]) part.clear();
  tabs[1].disabled = true;
  show("help");
  const { value: example, selectedOptions: [option] } = form.elements.example;
  Object.assign(through, { value: 0, max: Number(option.dataset.duration) || 1 });
  transcript.begin(option.dataset.language);
  help.begin(option.dataset.language);
  running(true);
  restart.disabled = false;
  const mine = (stream = new CallStream((type, frame) => {
    if (mine !== stream) return;
    if (frame && type !== "ready") clearTimeout(quiet);
    events[type]?.(frame);
  }));
  try {
    await mine.listen(await begin(desk.dataset.tenant, { example, speed: form.elements.speed.value }));
  } catch (error) {
    if (mine !== stream) return;
    say(`${words.refused} ${why(error)}`);
    finish();
  }
}

form.addEventListener("submit", (event) => { event.preventDefault(); start(); });
restart.addEventListener("click", start);
for (const tab of tabs) {
  tab.addEventListener("click", () => show(tab.id.slice(4)));
  tab.addEventListener("keydown", ({ key }) => {
    const other = tabs.find((each) => each !== tab);
    if (!/^Arrow(Left|Right)$/.test(key) || other.disabled) return;
    show(other.id.slice(4));
    other.focus();
  });
}
