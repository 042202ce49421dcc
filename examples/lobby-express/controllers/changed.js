// SPDX-License-Identifier: MIT OR Apache-2.0
// Says to Oyez that what is true of some channels has changed: an ordinary trigger of the official
// library, with a name that Oyez knows.
'use strict';

const pusher = require('../config/pusher');
const { oyezTimeout } = require('../config/settings');

/**
 * Never fails: what was committed is done, whatever becomes of this word. If Oyez cannot be reached
 * it asks by itself later, by the `refresh` of its rules, and whenever somebody subscribes to a
 * channel that it has no fresh truth of.
 */
async function changed(...channels) {
  try {
    await pusher.trigger(channels, 'oyez:changed', {});
  } catch (error) {
    console.error(`Oyez was not told that ${channels.join(', ')} changed: ${reasonOf(error)}. It will ask by itself.`);
  }
}

/** Without the URL that the library puts into its message: it is long, and signed. */
function reasonOf({ message, status, body, error: cause }) {
  if (status) return `${status} ${body}`;
  return cause?.code ?? (cause?.type === 'aborted' ? `no answer within ${oyezTimeout} ms` : message);
}

module.exports = { changed, reasonOf };
