// SPDX-License-Identifier: MIT OR Apache-2.0
// What an operator sees of channels that remember: the metrics, and the commands (design,
// sections 3, 4 and 5).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { request } from '../support/http.js';
import { eventually, within } from '../support/inbox.js';
import { AWARE, positionOf, subscribeAt } from '../support/log.js';
import { fresh } from '../support/names.js';
import { run, serverFor } from '../support/server.js';
import { Source } from '../support/source.js';

const url = (server) => `http://${server.app.key}:${server.app.secret}@127.0.0.1:${server.port}/apps/${server.app.id}`;
const done = (args, options) => within(10_000, `oyez ${args.join(' ')}`, run(args, options).exited);

async function serverWithSource(t) {
  const source = await Source.start();
  t.after(() => source.stop());
  const channels = [
    { match: 'ring-*', replay: 'all', history: { events: 5, age: '10m' } },
    { match: 'put-*', truth: { event: 'STATE' } },
    { match: 'asked-*', truth: { event: 'STATE', url: source.url, settle: '0s' } },
  ];
  const server = await serverFor(t, { app: { channels } });
  return { source, server };
}

/** The page as a map from name to `{type, help, samples}`; a sample is `[labels, value]`. */
async function scrape(server) {
  const { text } = await request(server.port, { path: '/metrics' });
  const families = {};
  let family;
  for (const line of text.split('\n').filter((line) => line)) {
    const [, what, name, rest] = /^# (HELP|TYPE) (\S+) (.*)/.exec(line) ?? [];
    if (what === 'HELP') families[name] = family = { help: rest, samples: [] };
    else if (what === 'TYPE') family.type = rest;
    else {
      const [, sample, labels, value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
      family.samples.push([sample + (labels ? `{${labels}}` : ''), Number(value)]);
    }
  }
  return families;
}

/** All samples of a family whose labels have that text, added up. */
const sum = (families, name, labels = '') =>
  families[name].samples.filter(([sample]) => sample.includes(labels)).reduce((all, [, value]) => all + value, 0);

test('/metrics tells of memory, journal and resolvers, each with its help', async (t) => {
  const { source, server } = await serverWithSource(t);
  const before = await scrape(server);
  for (const [name, type] of Object.entries({
    oyez_replayed_total: 'counter',
    oyez_resumed_total: 'counter',
    oyez_resets_total: 'counter',
    oyez_fallen_behind_total: 'counter',
    oyez_memory_bytes: 'gauge',
    oyez_stale_truths: 'gauge',
    oyez_journal_commits_total: 'counter',
    oyez_journal_appends_total: 'counter',
    oyez_journal_records_total: 'counter',
    oyez_journal_largest_commit: 'gauge',
    oyez_journal_bytes: 'gauge',
    oyez_journal_waiting_bytes: 'gauge',
    oyez_journal_failed: 'gauge',
    oyez_journal_commit_seconds: 'histogram',
    oyez_resolver_calls_total: 'counter',
    oyez_resolver_in_flight: 'gauge',
    oyez_resolver_waiting: 'gauge',
    oyez_resolver_call_seconds: 'histogram',
  })) {
    assert.equal(before[name]?.type, type, name);
    assert.ok(before[name].help.length > 10, name);
    assert.ok(before[name].samples.length > 0, name);
  }

  const ring = fresh('ring-');
  for (let n = 1; n <= 7; n++) await server.api.publish(ring, 'n', String(n));
  const socket = await server.connect();
  const { cut } = await subscribeAt(socket, ring, { oyez: AWARE });
  assert.equal(cut.replay, 5);
  const later = await server.connect();
  await subscribeAt(later, ring, { oyez: AWARE, resume: positionOf({ ...cut, offset: 5 }) });
  const tooLate = await server.connect();
  await subscribeAt(tooLate, ring, { oyez: AWARE, resume: positionOf({ ...cut, offset: 1 }) });

  const asked = fresh('asked-');
  source.truths.set(asked, { n: 1 });
  await subscribeAt(await server.connect(), asked, { oyez: AWARE });
  await eventually(async () => sum(await scrape(server), 'oyez_resolver_calls_total', 'outcome="truth"') === 1, 'one call');
  assert.equal(sum(await scrape(server), 'oyez_stale_truths'), 0);
  source.answer = () => ({ status: 500 });
  await server.api.post(`/channels/${asked}/changed`, {});
  await eventually(async () => {
    const families = await scrape(server);
    return sum(families, 'oyez_stale_truths') === 1 && sum(families, 'oyez_resolver_calls_total', 'outcome="status"') >= 1;
  }, 'a stale truth');
  source.answer = () => ({});
  await eventually(async () => sum(await scrape(server), 'oyez_stale_truths') === 0, 'a fresh truth');

  const after = await scrape(server);
  const grown = (name, labels) => sum(after, name, labels) - sum(before, name, labels);
  assert.ok(grown('oyez_replayed_total') >= 5 + 2 + 5, 'replayed');
  assert.equal(grown('oyez_resumed_total'), 1);
  assert.equal(grown('oyez_resets_total', 'reason="trimmed"'), 1);
  assert.equal(grown('oyez_resets_total'), 1);
  assert.ok(grown('oyez_memory_bytes') > 0);
  assert.ok(grown('oyez_journal_commits_total') > 0);
  assert.ok(grown('oyez_journal_appends_total') >= grown('oyez_journal_commits_total'));
  assert.ok(grown('oyez_journal_records_total') >= 7);
  assert.equal(sum(after, 'oyez_journal_failed'), 0);
  assert.ok(sum(after, 'oyez_journal_bytes') > 0);
  assert.ok(sum(after, 'oyez_resolver_calls_total') >= 3);
  assert.ok(after.oyez_resolver_calls_total.samples.every(([sample]) => sample.includes(`source="${source.url}"`)));
});

test('without a data folder and without a source there is nothing to tell of journal and resolvers', async (t) => {
  const server = await serverFor(t, { data_dir: '' });
  const names = Object.keys(await scrape(server));
  assert.deepEqual(names.filter((name) => /journal|resolver/.test(name)), []);
  assert.ok(names.includes('oyez_memory_bytes'));
});

test('truth, history and forget do what the calls of the API do', async (t) => {
  const { source, server } = await serverWithSource(t);
  const call = async (args, code = 0) => {
    const ended = await done(args, { env: { OYEZ_URL: url(server) } });
    assert.equal(ended.code, code, `${args.join(' ')}: ${ended.log}`);
    return ended;
  };
  const channel = fresh('put-');
  await call(['truth', 'put', channel, '{"a":1}', '--key', 'once']);
  await call(['truth', 'put', channel, '{"a":1}', '--key', 'once']);
  assert.match((await call(['truth', 'put', channel, '{"a":2}', '--key', 'once'], 1)).log, /409, idempotency_conflict/);
  await call(['truth', 'put', channel, '--merge', '{"b":2}', '--if-version', '1']);
  assert.match((await call(['truth', 'put', channel, '{}', '--if-version', '1'], 1)).log, /409, version_mismatch[\s\S]*version 2/);
  assert.match((await call(['truth', 'put', channel, '--patch', '[{"op":"remove","path":"/x"}]'], 1)).log, /422, patch_failed/);
  assert.deepEqual(JSON.parse((await call(['truth', 'get', channel])).out), { a: 1, b: 2 });
  const view = JSON.parse((await call(['truth', 'get', channel, '--json'])).out);
  assert.deepEqual([view.version, view.event, view.stale], [2, 'STATE', false]);
  await call(['truth', 'put', channel, '1', '--ttl', '200ms']);
  await eventually(async () => (await server.api.get(`/channels/${channel}/truth`)).status === 404, 'the truth ends');
  assert.match((await call(['truth', 'get', channel], 1)).log, /404, no_truth/);

  const asked = fresh('asked-');
  source.truths.set(asked, [1]);
  const socket = await server.connect();
  await socket.subscribe(asked);
  await call(['truth', 'changed', asked]);
  assert.equal((await socket.event('STATE', asked)).data, '[1]');
  assert.match((await call(['truth', 'changed', channel], 1)).log, /400, no_resolver/);

  const ring = fresh('ring-');
  for (let n = 1; n <= 7; n++) await server.api.publish(ring, n % 2 ? 'odd' : 'even', String(n));
  const history = await call(['history', ring]);
  assert.deepEqual(history.out.trim().split('\n').map((line) => line.split('  ').slice(1).join(' ')),
    ['#3 odd 3', '#4 even 4', '#5 odd 5', '#6 even 6', '#7 odd 7']);
  const page = JSON.parse((await call(['history', ring, '--json', '--since', '5', '--limit', '1'])).out);
  assert.deepEqual(page.events.map(({ offset }) => offset), [6]);
  assert.match((await call(['history', ring, '--since', '1', '--epoch', page.epoch, '--term', page.term], 1)).log, /410, history_gone[\s\S]*offset 7 of epoch/);
  assert.match((await call(['history', 'plain'], 1)).log, /400, no_memory/);
  await call(['forget', ring, 'odd']);
  const { replay } = await subscribeAt(await server.connect(), ring);
  assert.deepEqual(replay.map(({ data }) => data), ['4', '6']);
});

test('tail shows offsets and what was replayed, and goes on where it was after a crash', async (t) => {
  const { server } = await serverWithSource(t);
  const ring = fresh('ring-');
  await server.api.publish(ring, 'n', 'one');
  const tail = run(['tail', '--json', ring, '--url', url(server)]);
  t.after(() => tail.kill('SIGKILL'));
  const seen = () => tail.out.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line)).filter(({ event }) => event === 'n');
  await eventually(() => seen().length === 1, 'the replay');
  await server.api.publish(ring, 'n', 'two');
  await eventually(() => seen().length === 2, 'a live event');
  await server.crash();
  await server.api.publish(ring, 'n', 'three');
  await server.api.publish(ring, 'n', 'four');
  await eventually(() => seen().length >= 4, 'what was missed');
  assert.deepEqual(seen().map(({ offset, data, replayed }) => [offset, data, replayed]),
    [[1, 'one', true], [2, 'two', undefined], [3, 'three', true], [4, 'four', true]]);
  assert.match(tail.log, /going on up to #4, 2 from before/);
});
