// SPDX-License-Identifier: MIT OR Apache-2.0
// A signature lets a connection into a channel for as long as it lasts, and Pusher has no way to take
// it back. What it has is the end of all connections of a user, by the official library.
'use strict';

const pusher = require('../config/pusher');
const { reasonOf } = require('./changed');

/**
 * Ends the connections of somebody who is in a game no more, or has logged out. Their pages come back
 * by themselves, to what is still theirs. To be called after the commit, so that they are refused the
 * rest, and before the others are told: whatever is said to a table without them, they do not hear.
 *
 * Never fails, like `changed`. If Oyez is away, so are its connections.
 */
async function letGo(userId) {
  try {
    await pusher.terminateUserConnections(String(userId));
  } catch (error) {
    console.error(`The connections of user ${userId} were not ended: ${reasonOf(error)}.`);
  }
}

module.exports = { letGo };
