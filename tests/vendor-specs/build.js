// SPDX-License-Identifier: MIT OR Apache-2.0
// Bundles the specs and the sources they test, for one environment and one target.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { build } from 'esbuild';

const require = createRequire(import.meta.url);
const root = path.dirname(require.resolve('pusher-js/package.json'));
const { version } = require('pusher-js/package.json');
const here = (name) => new URL(name, import.meta.url).pathname;
const inPackage = (name) => path.join(root, name);

/** Where the specs' aliases lead. */
function modules(environment) {
  const mocked = inPackage('spec/javascripts/helpers/node/mock-dom-dependencies.ts');
  return {
    pusher_integration: here('client.cjs'),
    integration: here('integration.cjs'),
    polyfills: inPackage('spec/javascripts/polyfills/index.js'),
    ...(environment !== 'web' && { 'dom/dependencies': mocked, 'dom/dependency_loader': mocked }),
  };
}

/** The sources come as TypeScript beside old wrappers of the same name: the former count. */
function fileOf(name, folders) {
  const files = folders.flatMap((folder) => ['', '.ts', '.js', '/index.ts', '/index.js'].map((end) => path.join(folder, name) + end));
  return files.find((file) => fs.statSync(file, { throwIfNoEntry: false })?.isFile());
}

/** Writes the bundle to `outfile`. `target` is what the specs call `TARGET`. */
export async function bundle(environment, target, outfile) {
  const aliases = modules(environment);
  const roots = [`src/runtimes/${environment}`, 'src', 'src/runtimes', 'spec/javascripts/helpers', 'spec/javascripts'].map(inPackage);
  await build({
    entryPoints: [here('entry.cjs')],
    outfile,
    bundle: true,
    format: environment === 'node' ? 'cjs' : 'iife',
    platform: environment === 'node' ? 'node' : 'browser',
    sourcemap: 'inline',
    logLevel: 'error',
    nodePaths: [path.dirname(root)],
    define: {
      TARGET: JSON.stringify(target),
      ENVIRONMENT: JSON.stringify(environment),
      VERSION: JSON.stringify(version),
      CDN_HTTP: '"http://js.pusher.com"',
      CDN_HTTPS: '"https://js.pusher.com"',
      DEPENDENCY_SUFFIX: '""',
      RUNTIME: JSON.stringify(environment),
      ...(environment === 'web' && { global: 'window' }),
      ...(environment === 'worker' && { global: 'self' }),
    },
    plugins: [{
      name: 'specs',
      setup(on) {
        on.onResolve({ filter: /^testenv$/ }, () => ({ path: 'testenv', namespace: 'environment' }));
        on.onLoad({ filter: /.*/, namespace: 'environment' }, () => ({ contents: `module.exports = ${JSON.stringify(environment)}` }));
        on.onResolve({ filter: /./ }, ({ path: name, resolveDir }) => {
          const file = aliases[name] ?? fileOf(name, name.startsWith('.') ? [resolveDir] : roots);
          return file && { path: file };
        });
      },
    }],
  });
}
