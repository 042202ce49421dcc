// SPDX-License-Identifier: MIT OR Apache-2.0
// What changes anything must come from one of our own pages, so that no other site's page can act
// as whoever looks at it (CSRF). It needs no token in any form.
'use strict';

const { Refusal } = require('../errors');

function sameOrigin(req, res, next) {
  if (req.method === 'GET' || req.method === 'HEAD' || isOurs(req)) return next();
  throw new Refusal(403, 'This was sent by the page of another site.');
}

/**
 * Browsers say where a request comes from in `Sec-Fetch-Site` if the page is secure (TLS, or this
 * machine), else in `Origin`. With neither it is no browser, and holds nobody's cookies but its own.
 */
function isOurs(req) {
  const site = req.get('sec-fetch-site');
  if (site !== undefined) return site === 'same-origin' || site === 'none'; // none: a person's doing
  const origin = req.get('origin');
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === req.get('host')?.toLowerCase();
}

module.exports = { sameOrigin };
