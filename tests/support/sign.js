// SPDX-License-Identifier: MIT OR Apache-2.0
// The signatures of the Pusher protocol, written here from its documentation and from nothing of
// the server's: for connections (section 3 and 5 of the protocol) and for the HTTP API (section 6).
import { createHash, createHmac } from 'node:crypto';

export const hmac = (secret, text) => createHmac('sha256', secret).update(text).digest('hex');
export const md5 = (bytes) => createHash('md5').update(bytes).digest('hex');

/** `auth` of a subscribe. */
export function channelAuth(app, socketId, channel, channelData) {
  const text = [socketId, channel, ...(channelData === undefined ? [] : [channelData])].join(':');
  return `${app.key}:${hmac(app.secret, text)}`;
}

/** `auth` of a sign-in. */
export function userAuth(app, socketId, userData) {
  return `${app.key}:${hmac(app.secret, `${socketId}::user::${userData}`)}`;
}

/** The string that an HTTP call's signature covers: parameters sorted, values unescaped. */
export function stringToSign(method, path, parameters) {
  const query = Object.entries(parameters)
    .map(([key, value]) => [key.toLowerCase(), value])
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
    .join('&');
  return `${method}\n${path}\n${query}`;
}

/**
 * All query parameters of a signed call. `change` may alter or remove (undefined) parameters
 * before they are signed; `forge` does so afterwards.
 */
export function signedParameters(app, method, path, { body, query = {}, change = {}, forge = {}, at } = {}) {
  const parameters = defined({
    ...query,
    auth_key: app.key,
    auth_timestamp: String(at ?? Math.floor(Date.now() / 1000)),
    auth_version: '1.0',
    ...(body === undefined ? {} : { body_md5: md5(body) }),
    ...change,
  });
  const auth_signature = hmac(app.secret, stringToSign(method, path, parameters));
  return defined({ ...parameters, auth_signature, ...forge });
}

/** The same as a path with query. `escape` says how values are escaped on the wire. */
export function signedPath(app, method, path, options = {}) {
  const escape = options.escape ?? encodeURIComponent;
  const query = Object.entries(signedParameters(app, method, path, options))
    .map(([key, value]) => `${key}=${escape(value)}`)
    .join('&');
  return `${path}?${query}`;
}

const defined = (object) =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
