// SPDX-License-Identifier: MIT OR Apache-2.0
// The stream of events: the newest first, at most KEPT of them, drawn once per frame.

/** Events on the page, and characters of one that are shown before it is opened. */
const KEPT = 200, SHORT = 400;

/** Milliseconds between two announcements to a screen reader. */
const ANNOUNCE = 3000;

/** An element with a class and a text. All text of the page that comes from outside goes here. */
function element(name, className, text) {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

class EventLog {
  #list = document.getElementById("events");
  #count = document.getElementById("count");
  #heard = document.getElementById("heard");
  #pause = document.getElementById("pause");
  #waiting = []; // entries that are not drawn yet, at most KEPT
  #total = 0; #drawing = false; #unsaid = 0; #announcing = false;

  constructor() {
    document.getElementById("clear").addEventListener("click", () => this.#clear());
    this.#pause.addEventListener("click", () => {
      const paused = this.#pause.getAttribute("aria-pressed") !== "true";
      this.#pause.setAttribute("aria-pressed", paused);
      this.#pause.textContent = paused ? "Go on" : "Pause";
      this.#schedule();
      this.#tell();
    });
  }

  /** An event of a channel; `from` is who sent it, `own` marks the protocol's own events. */
  add({ channel, event, data, from, own }) {
    this.#total++;
    this.#waiting.push({ at: new Date(), channel, event, data, from, own });
    if (this.#waiting.length > KEPT) this.#waiting.shift();
    this.#schedule();
    this.#announce(`${event} on ${channel}`);
  }

  get #paused() { return this.#pause.getAttribute("aria-pressed") === "true"; }

  #schedule() {
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      if (!this.#paused) {
        const rows = this.#waiting.splice(0).reverse().map((entry) => this.#row(entry));
        this.#list.prepend(...rows);
        while (this.#list.childElementCount > KEPT) this.#list.lastElementChild.remove();
      }
      this.#tell();
    });
  }

  #row({ at, channel, event, data, from, own }) {
    const time = at.toLocaleTimeString([], { hourCycle: "h23" }) + "." + String(at.getMilliseconds()).padStart(3, "0");
    const stamp = element("time", "", time);
    stamp.dateTime = at.toISOString();
    const meta = element("p", "meta");
    meta.append(stamp, element("span", "ch", channel), element("strong", own ? "own" : "", event));
    if (from) meta.append(element("span", "from", `from ${from}`));
    const row = element("li");
    row.append(meta);
    if (data.length > SHORT) {
      const more = element("details"), begin = `${data.slice(0, SHORT)}…`;
      const summary = element("summary", "", begin);
      more.addEventListener("toggle", () => (summary.textContent = more.open ? "Less" : begin));
      more.append(summary, element("pre", "", data));
      row.append(more);
    } else if (data !== "") {
      row.append(element("pre", "", data));
    }
    return row;
  }

  #tell() {
    document.getElementById("quiet").hidden = this.#total > 0;
    const kept = this.#total > KEPT ? `, the last ${KEPT} kept` : "";
    const held = this.#paused && this.#waiting.length ? `, ${this.#waiting.length} waiting` : "";
    this.#count.textContent = this.#total ? `${this.#total}${kept}${held}` : "";
  }

  /** A stream would drown a screen reader: it hears how many there were, and the last. */
  #announce(last) {
    this.#unsaid++;
    this.#last = last;
    if (this.#announcing) return;
    this.#announcing = true;
    setTimeout(() => {
      this.#announcing = false;
      const many = this.#unsaid === 1 ? "1 new event" : `${this.#unsaid} new events, the last`;
      this.#heard.textContent = `${many}: ${this.#last}`;
      this.#unsaid = 0;
    }, ANNOUNCE);
  }
  #last = "";

  #clear() {
    this.#waiting = [];
    this.#total = 0;
    this.#list.replaceChildren();
    this.#tell();
  }
}
