// The conversation with the gateway, shared by the site's pages. Knows nothing of the page: `tell(event, data)` says it all.
const SILENCE_MS = 40_000;
const MOST_WAIT_MS = 30_000;
// What one page writes, a page of another process reads a moment later: the lock is kept until then.
const SPREAD_MS = 100;
// The conversation's token is no longer good, or its customer was erased.
const LOST = [401, 403, 404, 410];

const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
const later = (failures) => Math.min(MOST_WAIT_MS, 500 * 2 ** failures) * (0.7 + Math.random() * 0.3);

export class Client {
  constructor({ origin, tenant, key }, tell) {
    Object.assign(this, { origin, tenant, key, tell, name: `parley:${tenant}:${key}` });
    this.conversation = this.kept.conversation;
    this.life = new AbortController();
    this.reset();
    const { signal } = this.life;
    addEventListener("online", () => this.start(), { signal });
    addEventListener("storage", ({ key }) => {
      if (key !== this.name && key !== null) return;
      this.adopt();
      if (this.kept.seen >= this.seq) this.tell("seen");
    }, { signal });
  }

  reset() {
    this.seq = this.epoch = 0;
    this.attempt = null;
  }

  /** What the pages share: read anew each time, since each of them writes it. */
  get kept() {
    try {
      if (!this.alone) this.memory = JSON.parse(localStorage.getItem(this.name)) ?? {};
    } catch {
      this.memory ??= {};
    }
    return this.memory;
  }

  keep(part) {
    this.memory = { ...this.kept, ...part };
    try {
      localStorage.setItem(this.name, JSON.stringify(this.memory));
    } catch {
      this.alone = true; // Forbidden or full.
    }
  }

  get outbox() {
    return this.kept.outbox ?? [];
  }

  call(path, { headers, body, ...options }) {
    const { id, token } = this.conversation ?? {};
    return fetch(`${this.origin}/v1/${path.replace("*", id)}`, {
      ...options,
      body: body && JSON.stringify(body),
      headers: {
        "X-Widget-Key": this.key,
        ...(id && { Authorization: `Bearer ${token}` }),
        ...(body && { "Content-Type": "application/json" }),
        ...headers,
      },
    });
  }

  /** A request and its whole answer; throws where either was cut. */
  async ask(path, body) {
    const response = await this.call(path, { method: body ? "POST" : "GET", body, signal: AbortSignal.timeout(SILENCE_MS) });
    const answer = await response.json().catch((cut) => {
      if (response.ok) throw cut;
      return {};
    });
    return { status: response.status, answer, after: response.headers.get("Retry-After") };
  }

  async settings() {
    const { status, answer } = await this.ask(`widget?tenant=${encodeURIComponent(this.tenant)}`);
    if (status !== 200) throw new Error(status);
    return answer;
  }

  start() {
    this.unsent = this.unheard = 0;
    if (this.conversation) this.listen();
    this.flush();
  }

  send(text, language) {
    const message = { client_message_id: newId(), text, language, since: Date.now() };
    this.keep({ outbox: [...this.outbox, message] });
    this.tell("queued", message);
    this.flush();
  }

  /** Send what waits, one by one; a repeat goes under the same id. */
  async flush() {
    if (this.flushing) return;
    this.flushing = true;
    clearTimeout(this.timer);
    let wait = 0;
    try {
      while (!wait && !this.gone && this.outbox.length) wait = await this.sendOne(this.outbox[0]);
    } finally {
      this.flushing = false;
    }
    if (wait && !this.gone) this.timer = setTimeout(() => this.flush(), wait);
  }

  /** Returns the milliseconds to wait before the next try. */
  async sendOne(message) {
    const { client_message_id, text } = message;
    let conversation;
    let result = {};
    try {
      result = await this.begin(message.language);
      conversation = this.conversation;
      if (conversation) result = await this.ask("conversations/*/messages", { client_message_id, text });
    } catch {
      result = { status: 503 };
    }
    const { status, answer, after } = result;
    const lost = conversation && LOST.includes(status);
    if (lost && (conversation !== this.conversation || this.forget())) return 0;
    if (lost || status === 429 || status >= 500) {
      this.tell("waiting", message);
      return after > 0 ? Math.min(after * 1000, 60_000) : later(++this.unsent);
    }
    this.unsent = 0;
    this.keep({ outbox: this.outbox.filter((each) => each.client_message_id !== client_message_id) });
    if (status === 202) this.tell("sent", { ...message, ...answer });
    else this.tell("refused", { ...message, reason: answer.errors?.[0]?.message ?? answer.detail ?? "" });
    return 0;
  }

  /** One conversation for all pages, whichever writes first. */
  async begin(language) {
    const begin = async () => {
      this.adopt();
      if (this.conversation) return;
      const result = await this.ask("conversations", { tenant: this.tenant, language });
      const { conversation_id: id, token } = result.answer;
      if (id && !this.kept.conversation) this.keep({ conversation: { id, token }, seen: 0 });
      this.adopt();
      return result;
    };
    if (this.conversation || this.alone || !navigator.locks) return begin();
    return new Promise((done, failed) => {
      const hold = () => begin().then(done, failed).then(() => new Promise((free) => setTimeout(free, SPREAD_MS)));
      navigator.locks.request(this.name, hold).catch(failed);
    });
  }

  /** Go over to the conversation that the pages share. */
  adopt() {
    const { conversation } = this.kept;
    if (this.gone || conversation?.id === this.conversation?.id) return;
    this.stop?.abort();
    this.reset();
    if (this.conversation) this.tell("forgotten");
    this.conversation = conversation;
    if (conversation) this.listen();
  }

  /** Leave a lost conversation; never twice without a frame in between. */
  forget() {
    if (this.forgot) return false;
    this.forgot = true;
    if (this.kept.conversation?.id === this.conversation.id) this.keep({ conversation: undefined });
    this.adopt();
    return true;
  }

  /** Follow the event stream; each connection resumes behind the last frame. */
  async listen() {
    this.stop?.abort();
    const { signal } = (this.stop = new AbortController());
    while (!signal.aborted) {
      try {
        const headers = { "Last-Event-ID": `${this.seq}.${this.epoch}` };
        const response = await this.call("conversations/*/events", { headers, signal });
        if (LOST.includes(response.status) && this.forget()) return this.flush();
        if (!response.ok) throw new Error(response.status);
        this.partial();
        await this.read(response.body.getReader(), signal);
      } catch {} // The next connection goes on from here.
      if (signal.aborted) return;
      this.partial();
      this.tell("connection", navigator.onLine === false ? "offline" : "reconnecting");
      await new Promise((done) => setTimeout(done, later(++this.unheard)));
    }
  }

  /** A new connection sends the running attempt again from its first delta. */
  partial() {
    this.attempt = null;
    this.tell("retracted");
  }

  async read(reader, signal) {
    const decoder = new TextDecoder();
    let buffer = "";
    try {
      for (;;) {
        let silence;
        const quiet = new Promise((_, reject) => (silence = setTimeout(reject, SILENCE_MS)));
        const { value, done } = await Promise.race([reader.read(), quiet]).finally(() => clearTimeout(silence));
        if (done || signal.aborted) return;
        const parts = (buffer + decoder.decode(value, { stream: true })).split("\n\n");
        buffer = parts.pop();
        parts.forEach((part) => this.frame(part));
      }
    } finally {
      reader.cancel().catch(() => {});
    }
  }

  frame(text) {
    const [, event] = /^event: (.*)/m.exec(text) ?? [];
    if (!event) return;
    this.unheard = 0;
    this.forgot = false;
    this.take(event, JSON.parse(/^data: (.*)/m.exec(text)[1]));
  }

  /** Nothing twice by `seq`, no delta of an older epoch, of another attempt, or after a gap. */
  take(event, data) {
    if (event === "delta") return this.delta(data);
    if (event === "ready") {
      this.seq = Math.max(this.seq, data.seq);
      this.unsent = 0;
      this.flush();
    } else if (data.seq !== undefined) {
      if (data.seq <= this.seq) return;
      this.seq = data.seq;
    }
    this.epoch = Math.max(this.epoch, data.epoch ?? 0);
    if (event === "reply") this.attempt = null;
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
    if (data.attempt !== this.attempt || data.index <= this.index) return;
    if (data.index !== this.index + 1) {
      this.attempt = `not ${data.attempt}`;
      return this.tell("retracted", data);
    }
    this.index = data.index;
    this.tell("delta", data);
  }

  see() {
    if (this.seq > (this.kept.seen ?? 0)) this.keep({ seen: this.seq });
  }

  async feedback(reply_id, score) {
    const { status } = await this.ask("conversations/*/feedback", { reply_id, score });
    if (status !== 202) throw new Error(status);
  }

  close() {
    this.gone = true;
    this.life.abort();
    this.stop?.abort();
    clearTimeout(this.timer);
  }
}
