// The conversation with the gateway: started at the first message, kept across pages, resumed without a gap or a repeat.
// Knows nothing of the page: what happens is told through `tell(event, data)`.
const SILENCE_MS = 40_000;
const MOST_WAIT_MS = 30_000;
const uuid = () =>
  crypto.randomUUID?.() ??
  "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (c) =>
    (+c ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (+c / 4)))).toString(16));

export class Client {
  constructor({ origin, tenant, key }, tell) {
    this.origin = origin;
    this.tenant = tenant;
    this.key = key;
    this.tell = tell;
    this.name = `parley:${tenant}:${key}`;
    const kept = this.load();
    this.conversation = kept.conversation;
    this.outbox = kept.outbox ?? [];
    this.reset();
    this.failures = 0;
    addEventListener("online", (this.wake = () => this.resume()));
  }

  reset() {
    this.seq = 0;
    this.epoch = 0;
    this.attempt = null;
    this.index = -1;
  }

  load() {
    try {
      return JSON.parse(localStorage.getItem(this.name)) ?? {};
    } catch {
      return {};
    }
  }

  keep() {
    try {
      localStorage.setItem(this.name, JSON.stringify({ conversation: this.conversation, outbox: this.outbox }));
    } catch {
      // A full or forbidden store costs only that the conversation is not found again on the next page.
    }
  }

  call(path, options = {}) {
    const bearer = this.conversation && options.own ? { Authorization: `Bearer ${this.conversation.token}` } : {};
    const headers = { "X-Widget-Key": this.key, ...bearer, ...options.headers };
    if (options.body) headers["Content-Type"] = "application/json";
    return fetch(this.origin + path, { ...options, headers, body: options.body && JSON.stringify(options.body) });
  }

  async settings() {
    const response = await this.call(`/v1/widget?tenant=${encodeURIComponent(this.tenant)}`);
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return response.json();
  }

  start() {
    if (this.conversation) this.listen();
    if (this.outbox.length) this.flush();
  }

  resume() {
    this.failures = 0;
    this.stop?.abort();
    clearTimeout(this.timer);
    this.start();
  }

  send(text, language) {
    const message = { client_message_id: uuid(), text, language, state: "waiting" };
    this.outbox.push(message);
    this.keep();
    this.tell("queued", message);
    this.flush();
  }

  /** Send what waits, one after the other; what cannot be sent now is tried again by itself, under the same id. */
  async flush() {
    if (this.flushing) return;
    this.flushing = true;
    clearTimeout(this.timer);
    let wait = 0;
    while (this.outbox.length && !wait && !this.gone) wait = await this.sendOne(this.outbox[0]);
    this.flushing = false;
    if (wait) this.timer = setTimeout(() => this.flush(), wait);
  }

  /** Returns how many milliseconds to wait before the next try, 0 when the message is out of the way. */
  async sendOne(message) {
    let response;
    try {
      if (!this.conversation && !(await this.begin(message))) return 0;
      const path = `/v1/conversations/${this.conversation.id}/messages`;
      const { client_message_id, text } = message;
      response = await this.call(path, { method: "POST", own: true, body: { client_message_id, text } });
    } catch (problem) {
      this.tell("waiting", message);
      return problem.wait ?? this.backoff();
    }
    if (response.status === 202) {
      this.failures = 0;
      return this.sent(message, (await response.json()).message_id);
    }
    if (response.status === 401 || response.status === 404 || response.status === 403) return this.forget();
    if (response.status === 429 || response.status >= 500) {
      this.tell("waiting", message);
      return this.after(response);
    }
    return this.refused(message, await response.json().catch(() => ({})));
  }

  async begin(message) {
    const body = { tenant: this.tenant, ...(message.language && { language: message.language }) };
    const response = await this.call("/v1/conversations", { method: "POST", body });
    if (response.status === 429 || response.status >= 500) {
      throw Object.assign(new Error("later"), { wait: this.after(response) });
    }
    if (response.status !== 201) return this.refused(message, await response.json().catch(() => ({})));
    const { conversation_id, token } = await response.json();
    this.conversation = { id: conversation_id, token };
    this.keep();
    this.listen();
    return true;
  }

  sent(message, message_id) {
    this.outbox.shift();
    this.keep();
    this.tell("sent", { ...message, message_id });
    return 0;
  }

  refused(message, problem) {
    this.outbox.shift();
    this.keep();
    this.tell("refused", { ...message, reason: problem.errors?.[0]?.message ?? problem.detail ?? problem.title ?? "" });
    return 0;
  }

  /** The gateway no longer knows the conversation: begin a new one, and send the message there. */
  forget() {
    if (this.forgot) return this.backoff();
    this.forgot = true;
    this.stop?.abort();
    this.conversation = undefined;
    this.reset();
    this.keep();
    this.tell("forgotten", {});
    return 1;
  }

  after(response) {
    const seconds = Number(response.headers.get("Retry-After"));
    return seconds > 0 ? Math.min(seconds * 1000, 60_000) : this.backoff();
  }

  backoff() {
    this.failures += 1;
    return Math.min(MOST_WAIT_MS, 500 * 2 ** this.failures) * (0.7 + Math.random() * 0.3);
  }

  /** Follow the event stream until `close`; every connection resumes behind the last frame that was handled. */
  async listen() {
    this.stop?.abort();
    const stop = (this.stop = new AbortController());
    while (!stop.signal.aborted && this.conversation) {
      try {
        const id = this.seq || this.epoch ? { "Last-Event-ID": `${this.seq}.${this.epoch}` } : {};
        const path = `/v1/conversations/${this.conversation.id}/events`;
        const response = await this.call(path, { own: true, headers: id, signal: stop.signal });
        if ([401, 403, 404].includes(response.status)) return this.outbox.length ? this.flush() : void this.forget();
        if (!response.ok) throw new Error(`HTTP ${response.status}`);
        this.partial();
        await this.read(response.body.getReader(), stop.signal);
      } catch {
        // Whatever ended the stream, the next connection goes on from where this one was.
      }
      if (stop.signal.aborted) return;
      this.partial();
      this.tell("connection", navigator.onLine === false ? "offline" : "reconnecting");
      await new Promise((done) => setTimeout(done, this.backoff()));
    }
  }

  /** A new connection sends the running attempt again from its beginning. */
  partial() {
    this.attempt = null;
    this.index = -1;
    this.tell("retracted", {});
  }

  async read(reader, signal) {
    const decoder = new TextDecoder();
    let buffer = "";
    for (;;) {
      let silence;
      const quiet = new Promise((_, reject) => (silence = setTimeout(() => reject(new Error("silence")), SILENCE_MS)));
      const { value, done } = await Promise.race([reader.read(), quiet]).finally(() => clearTimeout(silence));
      if (done || signal.aborted) return;
      const parts = (buffer + decoder.decode(value, { stream: true })).split("\n\n");
      buffer = parts.pop();
      parts.forEach((part) => this.frame(part));
    }
  }

  frame(text) {
    const fields = {};
    for (const line of text.split("\n")) {
      const at = line.indexOf(":");
      if (at > 0) fields[line.slice(0, at)] = (fields[line.slice(0, at)] ?? "") + line.slice(at + 1).trimStart();
    }
    if (!fields.event) return;
    this.failures = 0;
    this.forgot = false;
    this.take(fields.event, JSON.parse(fields.data));
  }

  /** Pass on what is new: nothing twice by `seq`, no delta of an older epoch, of another attempt, or after a gap. */
  take(event, data) {
    if (event === "ready") {
      this.seq = Math.max(this.seq, data.seq);
      this.epoch = Math.max(this.epoch, data.epoch);
      return this.tell("ready", data);
    }
    if (event === "delta") return this.delta(data);
    if (data.seq !== undefined) {
      if (data.seq <= this.seq) return;
      this.seq = data.seq;
    }
    if (event === "reply") this.attempt = null;
    if ((data.epoch ?? 0) > this.epoch) this.epoch = data.epoch;
    if (event === "retracted") this.attempt = `not ${this.attempt}`;
    this.tell(event, data);
  }

  delta(data) {
    if (data.epoch < this.epoch) return;
    if (data.index === 0 && (this.attempt === null || data.epoch > this.epoch)) {
      this.attempt = data.attempt;
      this.index = -1;
    }
    this.epoch = data.epoch;
    if (data.attempt !== this.attempt) return;
    if (data.index <= this.index) return;
    if (data.index !== this.index + 1) {
      this.attempt = `not ${data.attempt}`;
      return this.tell("retracted", data);
    }
    this.index = data.index;
    this.tell("delta", data);
  }

  async feedback(reply_id, score) {
    const path = `/v1/conversations/${this.conversation.id}/feedback`;
    const response = await this.call(path, { method: "POST", own: true, body: { reply_id, score } });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
  }

  close() {
    this.gone = true;
    this.stop?.abort();
    clearTimeout(this.timer);
    removeEventListener("online", this.wake);
  }
}
