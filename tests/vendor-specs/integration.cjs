// SPDX-License-Identifier: MIT OR Apache-2.0
// Stands for `integration` in the specs: the package's own helper, with our backends' addresses.
const helper = ENVIRONMENT === 'web'
  ? require('web/integration')
  : require('node/integration');

helper.API_URL = TARGET.api;
helper.API_EU_URL = TARGET.apiEu;

module.exports = helper;
