// SPDX-License-Identifier: MIT OR Apache-2.0
// What the package's own `index.*.js` collect with webpack's require.context, less the transports
// that README.md leaves out.
if (ENVIRONMENT === 'web') require('polyfills');
require('core/pusher');

const configs = [
  { transport: 'ws', forceTLS: false },
  { transport: 'ws', forceTLS: true },
];

require('integration/core/cluster_config_spec')(configs);
require('integration/core/falling_back_spec')(configs);
require('integration/core/pusher_spec/index')(configs);
require('integration/core/timeout_configuration_spec')(configs);
require('integration/core/transport_lists_spec')(configs);
if (ENVIRONMENT === 'web') {
  require('integration/web/dom/jsonp_spec');
  require('integration/web/dom/script_request_spec');
}
