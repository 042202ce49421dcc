// SPDX-License-Identifier: MIT OR Apache-2.0
// The list of channels, and which of them this page listens to.
//
// The page listens by itself while a channel has other subscribers, and leaves with the last of
// them, so that looking does not keep a channel occupied. It joins presence channels only when
// asked: the other members see it there. What a person switched on stays on, what they switched
// off stays off. Pages of the same browser tell each other what they listen to, so that two of
// them do not take each other for subscribers.

/** Channels that are shown, and that the page listens to by itself. */
const SHOWN = 100, LISTENED = 100;

/** Milliseconds between two looks, and looks in a row that find nobody else before it leaves. */
const LOOK = 2000, ALONE = 2;

/** Milliseconds after which a page that told nothing more is gone. A hidden page is slow. */
const FORGET = 70_000;

class ChannelList {
  #list = document.getElementById("channels");
  #note = document.getElementById("channels-note");
  #rows = new Map(); // channel → its row
  #found = new Map(); // channel → what the server says of it
  #chosen = new Map(); // channel → true or false, as a person switched it
  #alone = new Map(); // channel → looks in a row without others
  #trouble = ""; #looking = false;
  #pages = new Map(); // other page → what it listens to, and when it said so
  #between = new BroadcastChannel("oyez-console");
  #me = crypto.randomUUID();

  constructor(socket) {
    this.socket = socket;
    this.#between.onmessage = ({ data }) => this.#pages.set(data.page, { at: Date.now(), channels: new Set(data.channels) });
    addEventListener("pagehide", () => this.#between.postMessage({ page: this.#me, channels: [] }));
    document.addEventListener("visibilitychange", () => this.look());
    setInterval(() => this.look(), LOOK);
    this.look();
  }

  /** Listens because a person wants it. */
  listen(channel) {
    if (isOfUser(channel)) return;
    this.#chosen.set(channel, true);
    this.socket.subscribe(channel);
    this.#draw();
  }

  /** After the connection or a subscription came or went. */
  changed() {
    this.#between.postMessage({ page: this.#me, channels: this.socket.channels });
    this.#draw();
  }

  /** Pages of this kind that listen to a channel. */
  #own(channel) {
    let count = this.socket.joined(channel) ? 1 : 0;
    for (const [page, { at, channels }] of this.#pages) {
      if (Date.now() - at > FORGET) this.#pages.delete(page);
      else if (channels.has(channel)) count++;
    }
    return count;
  }

  /** Other subscribers of a channel, as of the last look. */
  #others(channel) {
    return Math.max(0, (this.#found.get(channel)?.subscription_count ?? 0) - this.#own(channel));
  }

  /** Asks the server which channels there are. */
  async look() {
    this.#between.postMessage({ page: this.#me, channels: this.socket.channels });
    if (this.#looking || !this.socket.connected || document.visibilityState === "hidden") return;
    this.#looking = true;
    try {
      const { channels } = await call("GET", "/channels", { info: "subscription_count" });
      if (Object.keys(channels).some(isPresence)) {
        const query = { filter_by_prefix: "presence-", info: "user_count,subscription_count" };
        Object.assign(channels, (await call("GET", "/channels", query)).channels);
      }
      this.#found = new Map(Object.entries(channels));
      this.#trouble = "";
      this.#follow();
    } catch (error) {
      this.#trouble = `The list cannot be read: ${error.message}.`;
    } finally {
      this.#looking = false;
    }
    this.#draw();
  }

  /** Joins and leaves what nobody has decided about. */
  #follow() {
    for (const channel of this.#found.keys()) {
      if (this.#chosen.has(channel) || isPresence(channel) || isOfUser(channel)) continue;
      const alone = this.#others(channel) > 0 ? 0 : (this.#alone.get(channel) ?? 0) + 1;
      this.#alone.set(channel, alone);
      if (alone === 0 && !this.socket.wants(channel) && this.socket.size < LISTENED) {
        this.socket.subscribe(channel);
      } else if (alone >= ALONE) {
        this.socket.unsubscribe(channel);
      }
    }
    for (const channel of this.#alone.keys()) {
      if (!this.#found.has(channel)) {
        this.#alone.delete(channel);
        if (!this.#chosen.get(channel)) this.socket.unsubscribe(channel);
      }
    }
  }

  #draw() {
    const visible = (channel) => this.#others(channel) > 0 || this.#chosen.get(channel);
    const all = [...new Set([...this.#found.keys(), ...this.#chosen.keys()])].filter(visible).sort();
    const names = all.slice(0, SHOWN);
    for (const [channel, row] of this.#rows) {
      if (!names.includes(channel)) {
        row.remove();
        this.#rows.delete(channel);
      }
    }
    names.forEach((channel, at) => {
      let row = this.#rows.get(channel);
      if (!row) {
        row = this.#row(channel);
        this.#rows.set(channel, row);
      }
      // Rows stay where they are, so that nobody loses the focus.
      if (this.#list.children[at] !== row) this.#list.insertBefore(row, this.#list.children[at] ?? null);
      this.#fill(row, channel);
    });
    const set = (node, text) => node.textContent !== text && (node.textContent = text);
    set(document.getElementById("channels-count"), all.length ? String(all.length) : "");
    const more = all.length > SHOWN ? `The first ${SHOWN} are shown.` : "";
    set(this.#note, this.#trouble || (all.length ? more : "No channel has subscribers yet."));
    const options = names.filter((name) => !isOfUser(name)).join("\n");
    const known = document.getElementById("names");
    if (known.dataset.names !== options) {
      known.dataset.names = options;
      known.replaceChildren(...options.split("\n").map((name) => {
        const option = element("option");
        option.value = name;
        return option;
      }));
    }
  }

  #row(channel) {
    const row = element("li");
    row.dataset.channel = channel;
    const name = element("button", "name", channel);
    name.type = "button";
    name.title = "Send to this channel";
    name.addEventListener("click", () => {
      const field = document.getElementById("channel");
      field.value = channel;
      field.focus();
    });
    row.append(name, element("span", "about"));
    if (!isOfUser(channel)) {
      const listen = element("button", "listen");
      listen.type = "button";
      listen.setAttribute("aria-label", `Listen to ${channel}`);
      if (isPresence(channel)) listen.title = "Joins as the member oyez-console, which the others see";
      listen.addEventListener("click", () => {
        const on = !this.socket.wants(channel);
        this.#chosen.set(channel, on);
        if (on) this.socket.subscribe(channel);
        else this.socket.unsubscribe(channel);
        this.#draw();
      });
      row.append(listen);
    }
    return row;
  }

  #fill(row, channel) {
    const others = this.#others(channel);
    // All pages are one member.
    const own = isPresence(channel) && this.#own(channel) > 0 ? 1 : 0;
    const users = Math.max(0, (this.#found.get(channel)?.user_count ?? NaN) - own);
    const subscribers = others === 1 ? "1 subscriber" : `${others} subscribers`;
    const people = Number.isNaN(users) || others === 0 ? [] : [users === 1 ? "1 user" : `${users} users`];
    const text = [kindOf(channel), others === 0 ? "only this page" : subscribers, ...people].join(" · ");
    const about = row.querySelector(".about");
    if (about.textContent !== text) about.textContent = text;
    const listen = row.querySelector(".listen");
    if (!listen) return;
    const on = this.socket.wants(channel);
    const state = this.socket.joined(channel) ? "Listening" : this.socket.refused(channel) ? "Refused" : "Joining";
    const word = on ? state : "Listen";
    if (listen.textContent !== word) listen.textContent = word;
    listen.setAttribute("aria-pressed", on);
  }
}
