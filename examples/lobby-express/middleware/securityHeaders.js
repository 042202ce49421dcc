// SPDX-License-Identifier: MIT OR Apache-2.0
// What browsers shall forbid to our pages, should anything foreign get into one.
'use strict';

const { publicHost, publicPort } = require('../config/settings');

function securityHeaders(req, res, next) {
  res.set({
    'Content-Security-Policy': policy(publicHost || hostOf(req)),
    'X-Content-Type-Options': 'nosniff',
    // Other sites do not learn a game's link, which is what lets people in.
    'Referrer-Policy': 'same-origin',
    // Going back shows how things are and not how they were; nothing is left after a log-out.
    'Cache-Control': 'no-store',
  });
  next();
}

/** Scripts and styles come from files of ours, none from within a page; connections go to Oyez, too. */
function policy(host) {
  const oyez = host && `ws://${host}:${publicPort} wss://${host}:${publicPort}`;
  return `default-src 'self'; connect-src 'self' ${oyez}; object-src 'none'; base-uri 'none'; `
    + "form-action 'self'; frame-ancestors 'none'";
}

/** The name by which the browser reached us. What is no name of a host does not get into a header. */
function hostOf(req) {
  const [host] = (req.get('host') ?? '').match(/^(\[[0-9a-f:.]+\]|[\w.-]+)/i) ?? [''];
  return host;
}

module.exports = { securityHeaders };
