// Puts the view and the client together, and is what `window.Parley` becomes.
import { Client } from "./client.js";
import { choose, known } from "./i18n.js";
import { View } from "./view.js";

export function mount(options) {
  const listeners = new Map();
  const emit = (event, data) => listeners.get(event)?.forEach((listener) => listener(data));
  const acts = {
    open: () => { view.open(); emit("open"); },
    close: () => { view.close(); emit("close"); },
    toggle: () => (view.isOpen ? acts.close() : acts.open()),
    send: (text) => client.send(text, locale),
    feedback: (reply_id, score) => client.feedback(reply_id, score),
  };
  const view = new View(options, (name, ...args) => acts[name](...args));
  const client = new Client(options, (event, data) => { (events[event] ?? (() => {}))(data); emit(event, data); });
  let locale = choose(options.locale, [options.locale === "zh" ? "zh" : "en", "zh", "en"]);
  let owner = "bot";

  // What the gateway says, in the order in which it happened; see the frames in docs/http-api.md.
  const events = {
    queued: (m) => { view.mine(m.client_message_id, m.text, "sending"); view.toEnd(); },
    waiting: (m) => view.mine(m.client_message_id, m.text, "waiting"),
    sent: (m) => {
      view.rename(m.client_message_id, m.message_id);
      view.mine(m.message_id, m.text, "sent", Date.now());
      if (owner === "bot") view.typing(true);
    },
    refused: (m) => view.mine(m.client_message_id, m.text, "refused", undefined, m.reason),
    message: (m) => {
      if (m.from !== "customer") return view.colleague(m.message_id, m.name, m.text, m.at);
      // The echo of a message that is on its way may come before the answer to its request.
      if (client.outbox[0]?.text === m.text) view.rename(client.outbox[0].client_message_id, m.message_id);
      view.mine(m.message_id, m.text, "sent", m.at);
    },
    delta: (d) => view.stream(d.text),
    reply: (r) => view.reply(r),
    retracted: () => view.clear(),
    typing: (t) => view.typing(t.on),
    owner: (o) => {
      const w = view.words;
      if (o.owner === "queue") view.system(w.queue);
      else if (o.owner === "human") view.system(`${o.name ?? ""} ${w.joined}`.trim());
      else if (owner === "human") view.system(w.back);
      owner = o.owner;
    },
    closed: () => view.system(view.words.closed),
    ready: () => view.banner(""),
    connection: (state) => view.banner(view.words[state]),
    forgotten: () => view.clear(),
  };

  view.locale(locale);
  client.settings().then(
    (settings) => {
      locale = choose(options.locale === "auto" ? undefined : options.locale, [settings.default_language, ...settings.languages]);
      view.locale(locale, settings);
    },
    () => view.banner(view.words.unavailable),
  );
  for (const message of client.outbox) view.mine(message.client_message_id, message.text, "waiting");
  client.start();
  if (options.open !== undefined) view.open();

  return {
    ...acts,
    setLocale: (wanted) => { if (known(wanted)) view.locale((locale = wanted)); },
    setTheme: (theme) => view.theme(theme),
    on: (event, listener) => void listeners.set(event, [...(listeners.get(event) ?? []), listener]),
    destroy: () => { client.close(); view.destroy(); delete window.Parley; },
  };
}
