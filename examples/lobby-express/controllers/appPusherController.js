// SPDX-License-Identifier: MIT OR Apache-2.0
// What pages know of the web app itself: when it started. A page that was refused its channels while
// the app was away subscribes to them again when this changes.
'use strict';

const pusher = require('../config/pusher');

const started = Date.now();

/** The truth of APP, which pages get as APP_STARTED. */
function startOfApp() {
  return { started };
}

class AppPusherController {
  /** The app answers from now on. If Oyez is not there yet, it asks when the first page is. */
  static TRIGGER_APP_STARTED() {
    return pusher.trigger('APP', 'oyez:changed', {}).catch(() => {});
  }
}

module.exports = { AppPusherController, startOfApp };
