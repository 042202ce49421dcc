// SPDX-License-Identifier: MIT OR Apache-2.0
// Signatures and signed calls (protocol sections 3 and 6). HMAC is the browser's; MD5, which
// browsers do not have, is here.

"use strict";

/** The app of this page: id, key, secret, prefix, version. */
const app = JSON.parse(document.getElementById("app").textContent);

const utf8 = new TextEncoder();

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** MD5 of bytes (RFC 1321), as hex. */
function md5(bytes) {
  const shifts = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];
  const padded = new Uint8Array(((bytes.length + 72) >> 6) << 6);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, (bytes.length << 3) >>> 0, true);
  view.setUint32(padded.length - 4, Math.floor(bytes.length / 0x20000000), true);
  const state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
  for (let block = 0; block < padded.length; block += 64) {
    let [a, b, c, d] = state;
    for (let i = 0; i < 64; i++) {
      const round = i >> 4;
      const mix = [
        (b & c) | (~b & d),
        (b & d) | (c & ~d),
        b ^ c ^ d,
        c ^ (b | ~d),
      ][round];
      const word = [i, 5 * i + 1, 3 * i + 5, 7 * i][round] & 15;
      const constant = Math.floor(Math.abs(Math.sin(i + 1)) * 0x100000000);
      const sum = (a + mix + constant + view.getUint32(block + word * 4, true)) | 0;
      const shift = shifts[round * 4 + (i & 3)];
      [a, d, c, b] = [d, c, b, (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0];
    }
    [a, b, c, d].forEach((value, i) => (state[i] = (state[i] + value) | 0));
  }
  const out = new DataView(new ArrayBuffer(16));
  state.forEach((value, i) => out.setInt32(i * 4, value, true));
  return hex(new Uint8Array(out.buffer));
}

const hmacKey = crypto.subtle.importKey(
  "raw", utf8.encode(app.secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"],
);

/** Hex HMAC-SHA256 of a text with the app's secret. */
async function sign(text) {
  return hex(new Uint8Array(await crypto.subtle.sign("HMAC", await hmacKey, utf8.encode(text))));
}

/** A call of the HTTP API. Answers its JSON; throws an Error whose message is for people. */
async function call(method, path, query = {}, body = undefined) {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const pairs = {
    ...query,
    auth_key: app.key,
    auth_timestamp: String(Math.floor(Date.now() / 1000)),
    auth_version: "1.0",
  };
  if (text !== undefined) pairs.body_md5 = md5(utf8.encode(text));
  const sorted = Object.entries(pairs).sort(([a], [b]) => (a < b ? -1 : 1));
  const full = `${app.prefix}/apps/${app.id}${path}`;
  const signed = `${method}\n${full}\n${sorted.map(([k, v]) => `${k}=${v}`).join("&")}`;
  const search = new URLSearchParams([...sorted, ["auth_signature", await sign(signed)]]);
  let answer;
  try {
    answer = await fetch(`${full}?${search}`, {
      method,
      body: text,
      headers: text === undefined ? {} : { "content-type": "application/json" },
      cache: "no-store",
    });
  } catch {
    throw new Error("the server does not answer");
  }
  const value = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(value.error ?? `the server answered ${answer.status}`);
  return value;
}
