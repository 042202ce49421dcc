// SPDX-License-Identifier: MIT OR Apache-2.0
// Who asks: a script, or a browser that goes from page to page.
'use strict';

/** Our scripts say what they want; pusher-js, which does not, asks below one path alone. */
function wantsJson(req) {
  return req.path.startsWith('/pusher/') || req.accepts(['html', 'json']) === 'json';
}

/** It is done: 204 for a script; a browser goes on to that path. */
function done(req, res, path) {
  if (wantsJson(req)) res.sendStatus(204);
  else res.redirect(303, path);
}

module.exports = { wantsJson, done };
