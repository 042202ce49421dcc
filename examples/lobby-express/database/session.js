// SPDX-License-Identifier: MIT OR Apache-2.0
// The table `sessions`, as express-session wants its store. So sessions survive a restart, and a
// log-out ends one for whoever has copied the cookie, too.
'use strict';

const { Store } = require('express-session');
const { run, get } = require('./database');

/** Calls `done` with the result or the error of `work`, which is synchronous. */
function answer(done, work) {
  let result;
  try {
    result = work();
  } catch (error) {
    return done?.(error);
  }
  return done?.(null, result);
}

class SessionStore extends Store {
  get(id, done) {
    answer(done, () => {
      const row = get('SELECT data FROM sessions WHERE id = ? AND ends_at > ?', [id, Date.now()]);
      return row && JSON.parse(row.data);
    });
  }

  /** Is called when somebody has signed in, and then those that are over go. */
  set(id, session, done) {
    answer(done, () => {
      run('DELETE FROM sessions WHERE ends_at <= ?', [Date.now()]);
      run(
        'INSERT OR REPLACE INTO sessions (id, data, ends_at) VALUES (?, ?, ?)',
        [id, JSON.stringify(session), new Date(session.cookie.expires).getTime()],
      );
    });
  }

  destroy(id, done) {
    answer(done, () => run('DELETE FROM sessions WHERE id = ?', [id]));
  }
}

module.exports = { SessionStore };
