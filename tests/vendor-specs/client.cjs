// SPDX-License-Identifier: MIT OR Apache-2.0
// Stands for `pusher_integration` in the specs: the client they test, with every connection sent
// to the server under test. TARGET and ENVIRONMENT are filled in by build.js.
const Pusher = require('core/pusher').default;

class Redirected extends Pusher {
  constructor(key, options) {
    super(key, { ...options, ...TARGET.connection });
  }
}

if (ENVIRONMENT === 'web') {
  const { ScriptReceiverFactory } = require('dom/script_receiver_factory');
  Redirected.Integration = {
    ScriptReceivers: new ScriptReceiverFactory('_pusher_integration_script_receivers', 'Pusher.Integration.ScriptReceivers'),
  };
}

module.exports = Redirected;
