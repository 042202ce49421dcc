// SPDX-License-Identifier: MIT OR Apache-2.0
// Module hooks: whoever imports `pusher-js` gets our own client, whoever imports the browser
// support gets our own scripts.
const here = (name) => new URL(name, import.meta.url).href;

export async function resolve(specifier, context, next) {
  if (specifier === 'pusher-js') return { url: here('library.js'), shortCircuit: true };
  if (specifier.endsWith('support/browser.js') && !context.parentURL?.includes('/oyez-js/')) {
    return { url: here('browser.js'), shortCircuit: true };
  }
  return next(specifier, context);
}
