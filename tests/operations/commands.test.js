// SPDX-License-Identifier: MIT OR Apache-2.0
// The commands, the config file and what an operator reads (design, section 3).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { request } from '../support/http.js';
import { eventually, within } from '../support/inbox.js';
import { fresh } from '../support/names.js';
import { freePort, run, serverFor, temporaryFolder } from '../support/server.js';

const url = (server) => `http://${server.app.key}:${server.app.secret}@127.0.0.1:${server.port}/apps/${server.app.id}`;
const done = (args, options) => within(10_000, `oyez ${args.join(' ')}`, run(args, options).exited);

function configured(text) {
  const file = path.join(temporaryFolder(), 'oyez.toml');
  fs.writeFileSync(file, text);
  return file;
}

const APP = '[[apps]]\nid = "1"\nkey = "k"\nsecret = "s"\n';

test('check-config: a good file passes, a wrong one is refused with the place and the nearest name', async () => {
  const good = await done(['check-config', '--config', configured(APP)]);
  assert.equal(good.code, 0, good.log);
  for (const [text, names] of [
    [`pong_timout = 3\n${APP}`, /pong_timout[\s\S]*pong_timeout/],
    [`[limits]\nmax_conections = 3\n${APP}`, /max_conections[\s\S]*max_connections/],
    [`${APP}client_event = true\n`, /client_event[\s\S]*client_events/],
    [`activity_timeout = "long"\n${APP}`, /activity_timeout/],
    [`activity_timeout = 5\n${APP}`, /activity_timeout[\s\S]*10/],
    [`listen = "nowhere"\n${APP}`, /listen/],
    [`[[apps]]\nid = "1"\nkey = "k"\n`, /secret/],
    [`${APP}${APP}`, /already/],
    [`[limits]\nmessage_bytes = 1\n${APP}`, /message_bytes[\s\S]*1024/],
    [`[limit]\nmessage_bytes = 4096\n${APP}`, /`limit`[\s\S]*`limits`/],
    ['[[app]]\nid = "1"\n', /`app`[\s\S]*`apps`/],
    [`${APP}[[apps.webhook]]\nurl = "http://127.0.0.1:1/"\n`, /`webhook`[\s\S]*`webhooks`/],
    [`webhook_delay = "soon"\n${APP}`, /webhook_delay/],
    [`${APP}[[apps.webhooks]]\nurl = "http://127.0.0.1:1/"\nevents = ["member_add"]\n`, /member_add[\s\S]*member_added/],
    ['this is not toml', /line 1|1:/],
  ]) {
    const bad = await done(['check-config', '--config', configured(text)]);
    assert.notEqual(bad.code, 0, text);
    assert.match(bad.log, names, text);
    assert.doesNotMatch(bad.log, /panicked/);
  }
  assert.notEqual((await done(['check-config', '--config', '/no/such/file.toml'])).code, 0);
});

test('a rule that decides nothing is accepted, and said at the check and in the log', async (t) => {
  const rules = [{ match: '*', replay: 'latest', durable: true }, { match: 'LOBBY_*', replay: 'none' }];
  const server = await serverFor(t, { app: { channels: rules } });
  const told = (text) => text.match(/this rule decides nothing/g)?.length;
  assert.equal(told(server.log), 1, server.log);
  assert.match(server.log, /"level":"warn"[^\n]*LOBBY_\*/);
  const checked = await done(['--config', server.config, 'check-config']);
  assert.equal(checked.code, 0, checked.log);
  assert.equal(told(checked.log), 1, checked.log);
});

test('new-app prints a block that check-config accepts, with fresh credentials each time', async () => {
  const [one, two] = [await done(['new-app', 'shop']), await done(['new-app'])];
  assert.equal(one.code, 0, one.log);
  assert.match(one.out, /^\[\[apps\]\]/m);
  const secret = (text) => /secret\s*=\s*"([^"]+)"/.exec(text)[1];
  assert.notEqual(secret(one.out), secret(two.out));
  assert.ok(secret(one.out).length >= 16);
  const checked = await done(['check-config', '--config', configured(one.out)]);
  assert.equal(checked.code, 0, checked.log);
});

test('trigger, tail and channels work over --url and OYEZ_URL', async (t) => {
  const server = await serverFor(t);
  const channel = fresh();
  const socket = await server.connect();
  await socket.subscribe(channel);
  const tail = run(['tail', channel, '--url', url(server)]);
  t.after(() => tail.kill('SIGKILL'));
  await eventually(async () =>
    (await server.api.get(`/channels/${channel}`, { info: 'subscription_count' })).json.subscription_count === 2, 'tail subscribes');
  const sent = await done(['trigger', channel, 'greeting', '{"text":"hello"}', '--url', url(server)]);
  assert.equal(sent.code, 0, sent.log);
  assert.equal((await socket.event('greeting', channel)).data, '{"text":"hello"}');
  await eventually(() => tail.out.includes('greeting') && tail.out.includes('hello'), 'tail prints the event');
  const listed = await done(['channels'], { env: { OYEZ_URL: url(server) } });
  assert.equal(listed.code, 0, listed.log);
  assert.ok(listed.out.includes(channel));
  const wrong = await done(['trigger', 'not a name', 'e', 'x', '--url', url(server)]);
  assert.notEqual(wrong.code, 0);
  assert.match(wrong.log, /channel/);
  const nobody = await done(['channels', '--url', `http://k:s@127.0.0.1:${await freePort()}/apps/1`]);
  assert.notEqual(nobody.code, 0);
  assert.doesNotMatch(nobody.log, /panicked/);
});

test('OYEZ_… variables stand in for scalar keys', async (t) => {
  const server = await serverFor(t, { activity_timeout: undefined, env: { OYEZ_ACTIVITY_TIMEOUT: '77' } });
  const socket = await server.connect();
  assert.equal(JSON.parse(socket.hello.data).activity_timeout, 77);
});

test('an unknown OYEZ_… variable is refused with the nearest name, but for those of Kubernetes', async () => {
  const checked = (env) => done(['check-config', '--config', configured(APP)], { env });
  const slip = await checked({ OYEZ_WORKRS: '2' });
  assert.equal(slip.code, 2);
  assert.match(slip.log, /OYEZ_WORKRS[\s\S]*OYEZ_WORKERS/);
  const service = { OYEZ_PORT: 'tcp://10.0.0.1:6001', OYEZ_PORT_6001_TCP_ADDR: '10.0.0.1', OYEZ_SERVICE_HOST: '10.0.0.1' };
  const injected = await checked(service);
  assert.equal(injected.code, 0, injected.log);
});

test('--help teaches, unknown commands fail', async () => {
  const help = await done(['--help']);
  assert.equal(help.code, 0);
  for (const command of ['serve', 'check-config', 'new-app', 'trigger', 'tail', 'channels', 'truth', 'history', 'forget']) assert.ok(help.out.includes(command), command);
  assert.notEqual((await done(['sreve'])).code, 0);
  assert.equal((await done(['--version'])).code, 0);
});

test('development mode makes credentials once, prints what to do next, and is never silently public', async () => {
  const folder = temporaryFolder();
  const port = await freePort();
  const start = async () => {
    const child = run(['--listen', `127.0.0.1:${port}`, '--data', path.join(folder, 'data')], { cwd: folder });
    await eventually(() => request(port, { path: '/up' }).then(({ status }) => status === 200, () => false), 'GET /up');
    await eventually(() => /pusher/i.test(child.log), 'the greeting');
    child.kill('SIGTERM');
    assert.equal((await child.exited).code, 0, child.log);
    return child.log;
  };
  const [first, second] = [await start(), await start()];
  assert.match(first, new RegExp(`http://127\\.0\\.0\\.1:${port}`));
  assert.match(first, /new Pusher\(/);
  const kept = fs.readFileSync(path.join(folder, 'data', 'dev-app.toml'), 'utf8');
  const secret = /secret = "(\w+)"/.exec(kept)[1];
  assert.ok(first.includes(`secret: "${secret}"`), 'the snippet is ready to paste, also from a pipe');
  const key = (log) => /key = "(\w+)"/.exec(log)[1];
  assert.equal(key(first), key(second));
  const open = await done(['--listen', `0.0.0.0:${port}`, '--data', path.join(folder, 'data')], { cwd: folder });
  assert.notEqual(open.code, 0);
  assert.match(open.log, /config/);
});

test('a port that is taken: a clear message, no second server', async (t) => {
  const server = await serverFor(t);
  const second = await done(['serve', '--config', server.config, '--data', path.join(temporaryFolder(), 'd')]);
  assert.notEqual(second.code, 0);
  assert.ok(second.log.includes(String(server.port)), second.log);
  await (await server.connect()).alive();
});

test('/up, /metrics: what Prometheus reads moves with what happens', async (t) => {
  const server = await serverFor(t);
  const up = await request(server.port, { path: '/up' });
  assert.equal(up.status, 200);
  const scrape = async () => {
    const answer = await request(server.port, { path: '/metrics' });
    assert.equal(answer.status, 200);
    const metrics = {};
    for (const line of answer.text.split('\n')) {
      if (line === '' || line.startsWith('#')) continue;
      const match = /^([a-zA-Z_:][\w:]*)(\{[^}]*\})? (\S+)/.exec(line);
      assert.ok(match, `not a line of metrics: ${line}`);
      metrics[match[1]] = (metrics[match[1]] ?? 0) + Number(match[3]);
    }
    return metrics;
  };
  const before = await scrape();
  assert.ok(Object.keys(before).every((name) => name.startsWith('oyez_') || name.startsWith('process_')), Object.keys(before).join());
  const channel = fresh();
  const sockets = await server.connectAll(3);
  for (const socket of sockets) await socket.subscribe(channel);
  await server.api.publish(channel, 'e', 'x');
  for (const socket of sockets) await socket.event('e', channel);
  const after = await scrape();
  const grown = Object.keys(after).filter((name) => after[name] > (before[name] ?? 0)).join(' ');
  for (const part of ['connections', 'subscriptions', 'publish', 'bytes', 'messages']) assert.match(grown, new RegExp(part));
  assert.match(Object.keys(after).join(' '), /loop|delay/);
});
