// SPDX-License-Identifier: MIT OR Apache-2.0
// Puts the page together: state, snippets, the form to send, the stream.

/** Milliseconds for a subscription before an event is sent without it, and of a button's thanks. */
const JOIN = 2000, THANKS = 1600;

const byId = (id) => document.getElementById(id);

const log = new EventLog();
let list;
const socket = new Socket(
  (kind, words) => {
    byId("state").dataset.state = kind;
    byId("state").textContent = words;
    list?.changed();
    list?.look();
  },
  (message) => hear(message),
);
list = new ChannelList(socket);

/** A message of a channel, or an error. */
function hear({ event, channel, data, user_id: from }) {
  const text = typeof data === "string" ? data : data === undefined ? "" : JSON.stringify(data);
  switch (event) {
    case "pusher_internal:subscription_succeeded":
      return list.changed();
    case "pusher_internal:subscription_count":
      return; // The list shows it, without this page.
    case "pusher:subscription_error":
      list.changed();
      return log.add({ channel, event: "not subscribed", data: data?.error ?? text, own: true });
    case "pusher:error":
      return log.add({ channel: channel ?? "this page", event: "error", data: data?.message ?? text, own: true });
    default: {
      const own = event.startsWith("pusher:") || event.startsWith("pusher_internal:");
      const name = event.replace(/^pusher_internal:/, "pusher:");
      log.add({ channel: channel ?? "", event: name, data: own && text === "{}" ? "" : text, from, own });
    }
  }
}

/** Waits until the page is subscribed, or until it has waited long enough. */
async function joined(channel) {
  const end = performance.now() + JOIN;
  while (!socket.joined(channel) && socket.wants(channel) && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function say(outcome, text) {
  byId("sent").dataset.outcome = outcome;
  byId("sent").textContent = text;
}

byId("send").addEventListener("submit", async (submit) => {
  submit.preventDefault();
  const [channel, name, data] = ["channel", "event", "data"].map((id) => byId(id).value);
  if (isEncrypted(channel)) {
    return say("failed", "Only a server library can encrypt for this channel: send from your backend.");
  }
  const button = byId("send").querySelector("button");
  button.disabled = true;
  say("", "Sending");
  try {
    // So that what was sent is seen, also where nobody else listens.
    if (!isPresence(channel)) list.listen(channel);
    await joined(channel);
    const answer = await call("POST", "/events", {}, { name, channels: [channel], data, info: "subscription_count" });
    const count = answer.channels?.[channel]?.subscription_count ?? 0;
    const others = Math.max(0, count - (socket.joined(channel) ? 1 : 0));
    const who = ["Nobody but this page is subscribed", "1 other subscriber"][others] ?? `${others} other subscribers`;
    say("done", `Sent to ${channel}. ${who}.`);
  } catch (error) {
    say("failed", `Not sent: ${error.message}.`);
  } finally {
    button.disabled = false;
  }
});

byId("watch").addEventListener("submit", (submit) => {
  submit.preventDefault();
  list.listen(byId("watch-channel").value.trim());
  byId("watch").reset();
});

byId("reveal").addEventListener("click", () => {
  const shown = byId("reveal").getAttribute("aria-pressed") !== "true";
  byId("reveal").setAttribute("aria-pressed", shown);
  byId("reveal").firstChild.data = shown ? "Hide" : "Show";
  byId("app-secret").textContent = shown ? app.secret : "••••••••••••";
});

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const word = button.firstChild;
    try {
      await navigator.clipboard.writeText(byId(button.dataset.copy).textContent);
      word.data = "Copied";
    } catch {
      // Without leave to write the clipboard, the text is selected for a person to copy.
      getSelection().selectAllChildren(byId(button.dataset.copy));
      word.data = "Selected";
    }
    setTimeout(() => (word.data = "Copy"), THANKS);
  });
}

const tabs = [...document.querySelectorAll("[role=tab]")];

function choose(chosen) {
  for (const tab of tabs) {
    tab.setAttribute("aria-selected", tab === chosen);
    tab.tabIndex = tab === chosen ? 0 : -1;
    byId(tab.getAttribute("aria-controls")).hidden = tab !== chosen;
  }
}

tabs.forEach((tab, at) => {
  tab.addEventListener("click", () => choose(tab));
  tab.addEventListener("keydown", (press) => {
    const last = tabs.length - 1;
    const to = { ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at === 0 ? last : at - 1, Home: 0, End: last }[press.key];
    if (to === undefined) return;
    press.preventDefault();
    choose(tabs[to]);
    tabs[to].focus();
  });
});
choose(tabs[0]);
