// SPDX-License-Identifier: MIT OR Apache-2.0
// The page's own client of the WebSocket protocol (sections 1 to 3): it connects, comes back, and
// stays subscribed to what is wanted.

/** Kinds of channels by the beginning of their names, the longest first. */
const KINDS = [
  ["private-encrypted-cache-", "encrypted, cached"],
  ["private-encrypted-", "encrypted"],
  ["private-cache-", "private, cached"],
  ["private-", "private"],
  ["presence-cache-", "presence, cached"],
  ["presence-", "presence"],
  ["cache-", "public, cached"],
  ["#server-to-user-", "one user's"],
];

const kindOf = (channel) => KINDS.find(([start]) => channel.startsWith(start))?.[1] ?? "public";
const isPresence = (channel) => channel.startsWith("presence-");
const isEncrypted = (channel) => channel.startsWith("private-encrypted-");
const isOfUser = (channel) => channel.startsWith("#server-to-user-");

/** Who this page is on a presence channel. */
const MEMBER = JSON.stringify({ user_id: "oyez-console", user_info: { name: "Oyez console" } });

/** Seconds: an answer to a ping, the first wait before coming back, the longest. */
const PONG = 15, FIRST_WAIT = 1, LONGEST_WAIT = 30;

class Socket {
  #wanted = new Map(); // channel → "asked", "joined" or "refused"
  #socket; #id; #timer; #activity = 120; #failures = 0; #last = "";

  /** `onState(kind, words)` and `onMessage(message)` are told what happens. */
  constructor(onState, onMessage) {
    this.onState = onState;
    this.onMessage = onMessage;
    addEventListener("online", () => this.#retry());
    this.#connect();
  }

  wants(channel) { return this.#wanted.has(channel); }
  get connected() { return this.#id !== undefined; }
  refused(channel) { return this.#wanted.get(channel) === "refused"; }
  joined(channel) { return this.#wanted.get(channel) === "joined"; }
  get size() { return this.#wanted.size; }

  /** The channels that are subscribed to. */
  get channels() { return [...this.#wanted.keys()].filter((channel) => this.joined(channel)); }

  subscribe(channel) {
    if (this.#wanted.has(channel)) return;
    this.#wanted.set(channel, "asked");
    if (this.#id) this.#ask(channel);
  }

  unsubscribe(channel) {
    if (this.#wanted.delete(channel) && this.#id) this.#send("pusher:unsubscribe", { channel });
  }

  #connect() {
    this.onState("connecting", "Connecting");
    const query = `protocol=7&client=oyez-console&version=${app.version}`;
    const socket = new WebSocket(`ws://${location.host}${app.prefix}/app/${app.key}?${query}`);
    this.#socket = socket;
    this.#last = "";
    socket.onmessage = (frame) => this.#socket === socket && this.#hear(frame.data);
    socket.onclose = (close) => this.#socket === socket && this.#closed(close);
    this.#await(PONG, () => this.#drop());
  }

  #hear(text) {
    const message = JSON.parse(text);
    this.#await(this.#activity, () => {
      this.#send("pusher:ping", {});
      this.#await(PONG, () => this.#drop());
    });
    switch (message.event) {
      case "pusher:connection_established": {
        const data = JSON.parse(message.data);
        this.#id = data.socket_id;
        this.#activity = data.activity_timeout;
        this.#failures = 0;
        this.onState("connected", "Connected");
        for (const channel of this.#wanted.keys()) this.#ask(channel);
        return;
      }
      case "pusher:ping":
        return this.#send("pusher:pong", {});
      case "pusher:pong":
        return;
      case "pusher:error":
        this.#last = message.data?.message ?? "";
        break;
      case "pusher_internal:subscription_succeeded":
        if (this.#wanted.has(message.channel)) this.#wanted.set(message.channel, "joined");
        break;
      case "pusher:subscription_error":
        if (this.#wanted.has(message.channel)) this.#wanted.set(message.channel, "refused");
        break;
    }
    this.onMessage(message);
  }

  async #ask(channel) {
    const id = this.#id;
    const data = { channel };
    if (isPresence(channel)) {
      data.channel_data = MEMBER;
      data.auth = `${app.key}:${await sign(`${id}:${channel}:${MEMBER}`)}`;
    } else if (channel.startsWith("private-")) {
      data.auth = `${app.key}:${await sign(`${id}:${channel}`)}`;
    }
    // While it was signed the connection may have gone, or the wish.
    if (id !== this.#id || !this.#wanted.has(channel)) return;
    this.#wanted.set(channel, "asked");
    this.#send("pusher:subscribe", data);
  }

  #send(event, data) {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ event, data }));
  }

  #await(seconds, act) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(act, seconds * 1000);
  }

  /** The server fell silent: do not wait for its goodbye. */
  #drop() {
    const socket = this.#socket;
    this.#closed({ code: 1006, reason: "" });
    socket.close();
  }

  #closed({ code, reason }) {
    this.#socket = undefined;
    this.#id = undefined;
    for (const channel of this.#wanted.keys()) this.#wanted.set(channel, "asked");
    if (code >= 4000 && code < 4100) {
      clearTimeout(this.#timer);
      const why = reason || this.#last || "the server refused the connection";
      return this.onState("stopped", `Stopped: ${why} (${code})`);
    }
    const soon = code >= 4200 && code < 4300 && this.#failures === 0;
    const ceiling = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.#failures++);
    const wait = soon ? Math.random() : FIRST_WAIT + Math.random() * (ceiling - FIRST_WAIT);
    this.onState("waiting", `Not connected, trying again in ${Math.max(1, Math.round(wait))} s`);
    this.#await(wait, () => this.#connect());
  }

  #retry() {
    if (!this.#socket && document.getElementById("state").dataset.state === "waiting") this.#connect();
  }
}
