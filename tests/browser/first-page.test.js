// SPDX-License-Identifier: MIT OR Apache-2.0
// Development mode's first page: what to do next, live channels, a stream of events, a form.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { launch, pageOf } from '../support/browser.js';
import { request } from '../support/http.js';
import { eventually } from '../support/inbox.js';
import { OUTPUT, PYTHON, freePort, run, serverFor, temporaryFolder } from '../support/server.js';
import { Socket } from '../support/socket.js';

fs.mkdirSync(OUTPUT, { recursive: true });
const folder = temporaryFolder();
const port = await freePort();
const child = run(['--listen', `127.0.0.1:${port}`, '--data', path.join(folder, 'data')], { cwd: folder });
await eventually(() => request(port, { path: '/up' }).then(({ status }) => status === 200, () => false), 'GET /up');
const [, key] = await eventually(() => /key = "(\w+)"/.exec(child.out), 'the greeting');
const browser = await launch();

after(async () => {
  await browser.close();
  child.kill('SIGTERM');
  const { code, log } = await child.exited;
  assert.equal(code, 0, log);
  assert.doesNotMatch(log, /panicked/);
});

test('the first page has paste-ready snippets with this server\'s key for four places', async (t) => {
  const page = await pageOf(browser, { viewport: { width: 1280, height: 900 } });
  t.after(() => page.close());
  const failed = [];
  page.on('requestfailed', (call) => failed.push(call.url()));
  page.on('request', (call) => { if (!call.url().startsWith(`http://127.0.0.1:${port}`)) failed.push(call.url()); });
  await page.goto(`http://127.0.0.1:${port}/`);
  await page.waitForLoadState('networkidle').catch(() => {});
  await page.screenshot({ path: path.join(OUTPUT, 'first-page.png'), fullPage: true });
  const text = await page.evaluate(() => document.documentElement.textContent);
  assert.ok(text.includes(key), 'the key is on the page');
  for (const word of ['new Pusher(', String(port), 'Node', 'Python', 'PHP']) assert.ok(text.includes(word), word);
  assert.deepEqual(failed, [], 'all that the page needs comes from the server itself');
  assert.deepEqual(page.errors, []);
});

test('a channel appears, an event shows in the stream, and the form triggers one', async (t) => {
  const page = await pageOf(browser, { viewport: { width: 1280, height: 900 } });
  t.after(() => page.close());
  await page.goto(`http://127.0.0.1:${port}/`);
  const socket = await Socket.connect({ port, prefix: '', app: { key } });
  t.after(() => socket.close());
  await socket.subscribe('visible-channel');
  await page.waitForFunction(() => document.body.innerText.includes('visible-channel'));
  const form = page.locator('form').filter({ has: page.getByLabel('Data') });
  await form.getByLabel('Channel').fill('visible-channel');
  await form.getByLabel('Event').fill('from-the-form');
  await form.getByLabel('Data').fill('{"hello":"world"}');
  await form.getByRole('button', { name: 'Send' }).click();
  assert.equal((await socket.event('from-the-form', 'visible-channel')).data, '{"hello":"world"}');
  await page.waitForFunction(() => document.body.innerText.includes('from-the-form'));
  await page.screenshot({ path: path.join(OUTPUT, 'first-page-event.png'), fullPage: true });
  assert.deepEqual(page.errors, []);
});

/** Runs a program that got this text as its argument, as if somebody had pasted it. */
function pasted(t, program, args) {
  const child = spawn(program, args, { cwd: path.dirname(OUTPUT), stdio: ['ignore', 'pipe', 'inherit'] });
  child.exited = once(child, 'exit');
  child.out = '';
  child.stdout.on('data', (part) => (child.out += part));
  t.after(() => child.kill());
  return child;
}

test('the snippets work as they are pasted: Node and Python publish, the page listens', async (t) => {
  const page = await pageOf(browser);
  t.after(() => page.close());
  await page.goto(`http://127.0.0.1:${port}/`);
  const snippet = async (name) => {
    await page.getByRole('tab', { name }).click();
    return page.getByRole('tabpanel', { name }).locator('pre').innerText();
  };
  const listener = pasted(t, process.execPath, ['--input-type=module', '-e', await snippet('Browser')]);
  const channels = page.locator('section').filter({ has: page.getByRole('heading', { name: 'Channels' }) });
  await channels.getByText('my-channel').first().waitFor();
  for (const [name, program, flag] of [['Node', process.execPath, '-e'], ['Python', PYTHON, '-c']]) {
    listener.out = '';
    const publisher = pasted(t, program, [flag, await snippet(name)]);
    await eventually(() => listener.out.includes('hello'), `the event from ${name}`);
    await publisher.exited;
  }
});

test('the page, which knows the secret, is given only to who asks for this machine', async () => {
  for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1.evil.example', 'localhost.evil.example']) {
    const { text } = await request(port, { path: '/', headers: { host } });
    assert.ok(!text.includes(key), `Host: ${host}`);
  }
});

test('the page works on a phone: nothing is wider than the screen', async (t) => {
  const page = await pageOf(browser, { viewport: { width: 375, height: 800 }, isMobile: true, hasTouch: true });
  t.after(() => page.close());
  await page.goto(`http://127.0.0.1:${port}/`);
  await page.screenshot({ path: path.join(OUTPUT, 'first-page-phone.png'), fullPage: true });
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth + 1));
});

test('outside of development mode there is no such page', async (t) => {
  const server = await serverFor(t);
  const { status, text } = await request(server.port, { path: '/' });
  assert.ok(status === 404 || !text.includes(server.app.key), `${status}`);
});
