// SPDX-License-Identifier: MIT OR Apache-2.0
// Builds the package into dist/, and the script that the server carries into generated/.
//
//   npm run build        both, and says how large the script is
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const here = path.dirname(fileURLToPath(import.meta.url));
const inside = (...names) => path.join(here, ...names);

/** The most that the script may weigh, gzipped, in bytes. */
export const LIMIT = 8 * 1024;

const BANNER = [
  '// SPDX-License-Identifier: MIT OR Apache-2.0',
  '// generated from clients/js/src by npm run build',
].join('\n');

const common = {
  absWorkingDir: here, bundle: true, target: 'es2021', charset: 'utf8', sourcemap: true,
  legalComments: 'none', banner: { js: BANNER }, write: false, logLevel: 'error',
};

/** `require('oyez-js')` is the class itself, as with pusher-js, and has the other exports as properties. */
const COMMONJS = [
  'module.exports = Object.assign(module.exports.default, module.exports);',
  "Object.defineProperty(module.exports, '__esModule', { value: true });",
].join('\n');

const tsc = (...options) => execFileSync(process.execPath, [inside('node_modules/typescript/bin/tsc'), ...options], { cwd: here, stdio: 'inherit' });

/** The classic script and its source map, as `{name: text}`. Names that begin with `_` are inner ones. */
export async function script() {
  const { outputFiles } = await build({
    ...common, entryPoints: ['src/script.ts'], outfile: 'generated/oyez.js', format: 'iife', minify: true, mangleProps: /^_/,
  });
  return Object.fromEntries(outputFiles.map(({ path: file, text }) => [path.basename(file), text]));
}

async function main() {
  fs.mkdirSync(inside('dist'), { recursive: true });
  fs.mkdirSync(inside('generated'), { recursive: true });
  const files = await script();
  for (const [name, text] of Object.entries(files)) {
    for (const folder of ['dist', 'generated']) fs.writeFileSync(inside(folder, name), text);
  }
  const node = { entryPoints: ['src/node/index.ts'], platform: 'node', target: 'node20' };
  for (const module of [
    { entryPoints: ['src/index.ts'], outfile: 'dist/oyez.mjs', format: 'esm' },
    { ...node, outfile: 'dist/oyez.node.mjs', format: 'esm' },
    { ...node, outfile: 'dist/oyez.cjs', format: 'cjs', footer: { js: COMMONJS } },
  ]) {
    const { outputFiles } = await build({ ...common, ...module });
    for (const { path: file, contents } of outputFiles) fs.writeFileSync(file, contents);
  }
  tsc();
  tsc('--outDir', 'dist/cjs');
  fs.writeFileSync(inside('dist/cjs/package.json'), '{ "type": "commonjs" }\n');
  tsc('--project', 'tsconfig.node.json');
  const text = files['oyez.js'];
  const size = gzipSync(text, { level: 9 }).length;
  console.log(`oyez.js: ${Buffer.byteLength(text)} bytes, ${size} gzipped (limit ${LIMIT})`);
  if (size > LIMIT) throw new Error('the script is too large');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
