// SPDX-License-Identifier: MIT OR Apache-2.0
// The official client's own integration specs, in Node, a page and a web worker. See README.md.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { launch, pageOf, webServer } from '../support/browser.js';
import { Inbox } from '../support/inbox.js';
import { Proxy, selfSigned } from '../support/proxy.js';
import { temporaryFolder, useServer } from '../support/server.js';
import { specBackend } from './backend.js';
import { bundle } from './build.js';

/** All specs of one environment take some three minutes, nearly all of it waits of their own. */
const PATIENCE = 400_000;
const jasmineFile = path.join(path.dirname(createRequire(import.meta.url).resolve('jasmine-core')), 'jasmine-core/jasmine.js');
const bootFile = new URL('boot.cjs', import.meta.url).pathname;

/** The apps whose keys stand in the specs. */
const APPS = [
  { id: '1', key: 'c49a449b916bb4246729', secret: 'secret-of-the-first', client_events: true },
  { id: '2', key: 'cb7d5e50f5669e5c9ae6', secret: 'secret-of-the-second', client_events: true },
];

const folder = temporaryFolder();
const certificate = selfSigned(folder);
const server = await useServer({ apps: APPS });
const proxy = await Proxy.start(server.port, { credentials: certificate });
const backends = await Promise.all(APPS.map(({ id, key, secret }) => specBackend(server.library({ appId: id, key, secret }))));
const target = {
  connection: { wsHost: 'localhost', wsPort: server.port, wssPort: proxy.port },
  api: backends[0].url,
  apiEu: backends[1].url,
};
after(async () => {
  await proxy.stop();
  await Promise.all(backends.map((backend) => backend.stop()));
  fs.rmSync(folder, { recursive: true });
});

/** Turns each result of an environment into a test of its own. */
async function retell(t, results) {
  for (let count = 0; ; count++) {
    const { done, fullName, status, failures } = await results.take(undefined, 'another result', PATIENCE);
    if (done) {
      assert.ok(count > 20, `only ${count} specs ran`);
      assert.deepEqual(failures, []);
      return;
    }
    await t.test(fullName, () => assert.ok(status === 'passed', `${status}: ${failures.join('\n')}`));
  }
}

async function inChromium(t, environment, html) {
  const outfile = path.join(folder, `${environment}.js`);
  await bundle(environment, target, outfile);
  const files = { '/jasmine.js': { file: jasmineFile }, '/boot.js': { file: bootFile }, '/specs.js': { file: outfile } };
  const site = await webServer({ ...html, ...files });
  const browser = await launch(['--ignore-certificate-errors', '--allow-insecure-localhost']);
  t.after(async () => {
    await browser.close();
    await site.stop();
  });
  const results = new Inbox(`specs in a ${environment}`);
  const page = await pageOf(browser);
  await page.exposeFunction('reportSpec', (result) => results.push(result));
  page.on('pageerror', (error) => results.push({ fullName: 'the page', status: 'failed', failures: [String(error)] }));
  await page.goto(site.url.replace('127.0.0.1', 'localhost'));
  await retell(t, results);
}

describe('pusher-js integration specs', { concurrency: true }, () => {
  test('in Node', async (t) => {
    const outfile = path.join(folder, 'node.cjs');
    await bundle('node', target, outfile);
    const results = new Inbox('specs in Node');
    const child = fork(bootFile, [outfile], { env: { ...process.env, NODE_EXTRA_CA_CERTS: certificate.certFile }, silent: true, execArgv: [] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (output += part));
    t.after(() => child.kill());
    child.on('message', (result) => results.push(result));
    child.on('exit', () => results.end(`the process ended: ${output.slice(-1000)}`));
    await retell(t, results);
  });

  test('in a page', (t) => inChromium(t, 'web', {
    '/': `<!doctype html><title>specs</title>
<script src="/jasmine.js"></script><script src="/boot.js"></script>
<script>const runSpecs = prepareSpecs(jasmineRequire)</script><script src="/specs.js"></script>
<script>runSpecs((result) => reportSpec(result))</script>`,
  }));

  test('in a web worker', (t) => inChromium(t, 'worker', {
    '/': `<!doctype html><title>specs</title>
<script>new Worker('/worker.js').onmessage = ({ data }) => reportSpec(data)</script>`,
    '/worker.js': `importScripts('/jasmine.js', '/boot.js');
const runSpecs = prepareSpecs(jasmineRequire);
importScripts('/specs.js');
runSpecs((result) => postMessage(result));`,
  }));
});
