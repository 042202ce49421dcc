// SPDX-License-Identifier: MIT OR Apache-2.0
// The two errors whose text is meant for people.
'use strict';

/** Why a request was not done: an HTTP status, and a sentence for whoever asked. */
class Refusal extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

/** Why the app cannot start, and what to do about it. */
class StartError extends Error {}

module.exports = { Refusal, StartError };
