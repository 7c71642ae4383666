// Puts view and client together: `window.Parley`.
import { Client } from "./client.js";
import { choose, known } from "./i18n.js";
import { View } from "./view.js";

export function mount(options) {
  const listeners = [];
  const emit = (event, data = {}) => {
    for (const [wanted, listener] of listeners) {
      try {
        if (wanted === event) listener(data);
      } catch (error) {
        console.error(error); // The site's mistake must not end the stream.
      }
    }
  };
  const acts = {
    open: () => show(true),
    close: () => show(false),
    toggle: () => show(!view.isOpen),
    send: (text) => text.trim() && client.send(text.trim(), locale),
  };
  const view = new View(options, { ...acts, feedback: (...rated) => client.feedback(...rated) });
  const client = new Client(options, (event, data) => { events[event]?.(data); emit(event, data); });
  let asked = options.locale;
  let settings, loading, locale;
  let owner = "bot";
  // A reply may come before its question's 202.
  let sent = [];
  const answered = new Set();

  /** Whether the panel is open, from page to page. */
  function opened(now) {
    try {
      if (now !== undefined) sessionStorage.setItem(client.name, now);
      return sessionStorage.getItem(client.name);
    } catch {}
  }

  function show(open) {
    if (open === view.isOpen) return;
    const how = open ? "open" : "close";
    view[how]();
    if (open) client.see();
    opened(open);
    emit(how);
  }

  function speak() {
    locale = choose(asked, settings ? [settings.default_language, ...settings.languages] : ["en", "zh"]);
    view.locale(locale, settings);
  }

  function load() {
    loading ??= client.settings().then(
      (found) => { settings = found; speak(); },
      () => { loading = undefined; view.banner(view.words.unavailable); },
    );
  }

  function dots() {
    if (owner !== "bot") sent = [];
    const waiting = sent.some((id) => !answered.has(id));
    view.typing(waiting);
    view.waits(waiting);
  }

  function arrived() {
    if (view.isOpen) client.see();
    else if (client.seq > (client.kept.seen ?? 0)) view.count(view.unread + 1);
  }

  // Frames (docs/http-api.md), and what the client tells by itself.
  const events = {
    queued: (m) => { view.mine(m.client_message_id, m.text, m); view.toEnd(); },
    waiting: (m) => view.mine(m.client_message_id, m.text, { ...m, note: view.words.waiting }),
    refused: (m) => view.mine(m.client_message_id, m.text, { note: view.words.failed, bad: true }),
    sent: (m) => {
      view.rename(m.client_message_id, m.message_id);
      view.mine(m.message_id, m.text, m);
      sent.push(m.message_id);
      dots();
    },
    message: (m) => {
      if (m.from === "customer") return view.echo(m.message_id, m.text, m.at);
      view.theirs({ name: "", ...m });
      arrived();
    },
    delta: (d) => { view.waits(false); view.stream(d.text, !d.index); },
    reply: (r) => {
      for (const id of r.answers) answered.add(id);
      view.clear();
      view.waits(false);
      view.theirs(r);
      dots();
      arrived();
    },
    retracted: () => { view.clear(); dots(); },
    typing: (t) => (t.on ? view.typing(true) : dots()),
    owner: (o) => {
      const w = view.words;
      if (o.owner === "queue") view.system(w.queue);
      else if (o.owner === "human") view.system(`${o.name ?? ""} ${w.joined}`.trim());
      else if (owner === "human") view.system(w.back);
      owner = o.owner;
      dots();
    },
    closed: () => { sent = []; dots(); view.system(view.words.closed); },
    ready: () => {
      view.ready();
      if (view.isOpen) client.see();
      load();
    },
    connection: (state) => view.banner(view.words[state]),
    seen: () => view.count(0),
    forgotten: () => { owner = "bot"; sent = []; dots(); view.forget(); },
  };

  view.begun = !!client.conversation;
  speak();
  load();
  client.outbox.forEach(events.waiting);
  if ((opened() ?? String((options.open ?? "false") !== "false")) === "true") view.open(false);
  client.start();

  return {
    ...acts,
    setLocale: (wanted) => { if (known(wanted)) { asked = wanted; speak(); } },
    setTheme: (theme) => view.theme(theme),
    on: (event, listener) => void listeners.push([event, listener]),
    destroy: () => { client.close(); view.destroy(); delete window.Parley; },
  };
}
