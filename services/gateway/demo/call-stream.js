// From the gateway to frames: begins a call, follows its event stream, and resumes behind the last frame. Knows nothing of the page.
const SILENCE_MS = 40_000;
const MOST_WAIT_MS = 15_000;
// The call's token is no longer good, or its customer was erased.
const LOST = [401, 403, 404, 410];

export class Refused extends Error {
  constructor(status) {
    super(`refused with ${status}`);
    this.status = status;
  }
}

/** Have an example played: its conversation and the token for it. Throws `Refused` where the gateway will not, else what `fetch` does. */
export async function begin(tenant, asked) {
  const response = await fetch(`/demo/${encodeURIComponent(tenant)}/calls`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(asked),
    signal: AbortSignal.timeout(SILENCE_MS),
  });
  if (response.status !== 201) throw new Refused(response.status);
  return response.json();
}

export class CallStream {
  constructor(tell) {
    this.tell = tell;
    this.seq = 0;
    this.life = new AbortController();
  }

  stop() {
    this.life.abort();
  }

  async listen({ conversation_id: id, token }) {
    const { signal } = this.life;
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        const headers = { Authorization: `Bearer ${token}`, "Last-Event-ID": `${this.seq}` };
        const response = await fetch(`/v1/calls/${encodeURIComponent(id)}/events`, { headers, signal, cache: "no-store" });
        if (LOST.includes(response.status)) return this.tell("gone");
        if (!response.ok) throw new Error(response.status);
        this.tell("connected");
        await this.read(response.body.getReader(), () => (failures = 0));
      } catch {} // The next connection goes on from here.
      if (signal.aborted) return;
      this.tell("lost");
      await new Promise((done) => setTimeout(done, Math.min(MOST_WAIT_MS, 400 * 2 ** failures) * (0.7 + Math.random() * 0.3)));
    }
  }

  async read(reader, heard) {
    const decoder = new TextDecoder();
    let buffer = "";
    try {
      for (;;) {
        let silence;
        const quiet = new Promise((_, reject) => (silence = setTimeout(reject, SILENCE_MS)));
        const { value, done } = await Promise.race([reader.read(), quiet]).finally(() => clearTimeout(silence));
        if (done || this.life.signal.aborted) return;
        heard();
        const parts = (buffer + decoder.decode(value, { stream: true })).split("\n\n");
        buffer = parts.pop();
        parts.forEach((part) => this.frame(part));
      }
    } finally {
      reader.cancel().catch(() => {});
    }
  }

  /** Nothing twice by `seq`; what has none is of the moment. */
  frame(text) {
    const [, data] = /^data: ?(.*)/m.exec(text) ?? [];
    if (!data || this.life.signal.aborted) return;
    const frame = JSON.parse(data);
    if (frame.type === "ready") this.seq = Math.max(this.seq, frame.seq);
    else if (frame.seq !== undefined) {
      if (frame.seq <= this.seq) return;
      this.seq = frame.seq;
    }
    this.tell(frame.type, frame);
  }
}
