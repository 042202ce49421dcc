// SPDX-License-Identifier: MIT OR Apache-2.0
// What is found out too late: a call to several channels is done as a whole or not at all, or
// whoever repeats it would publish twice.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fresh } from '../support/names.js';
import { useServer } from '../support/server.js';
const server = await useServer({
  limits: { memory_bytes: 1024 * 1024, truth_bytes: 1_000 },
  app: { channels: [
    { match: 'm-*', replay: 'latest' },
    { match: 't-*', truth: { event: 'e', from: 'trigger' } },
  ] },
});
test('a truth that is too large for one channel of a call is published to none', async () => {
  const channels = [fresh('m-'), fresh('t-')];
  const data = JSON.stringify('x'.repeat(2_000));
  const { status, text } = await server.api.post('/events', { name: 'e', data, channels });
  assert.equal(status, 413, text);
  assert.match(text, /limits\.truth_bytes/);
  const history = JSON.parse((await server.api.get(`/channels/${channels[0]}/history`)).text);
  assert.equal(history.offset, 0);
});

test('t023: whoever is answered finds on each channel what the call did', async () => {
  for (let n = 0; n < 60; n++) {
    const channels = Array.from({ length: 6 }, () => fresh('t-'));
    const body = { name: 'e', data: '1', channels, idempotency_key: `settled-${n}` };
    const answers = await Promise.all([1, 2].map(() => server.api.post('/events', body)));
    assert.deepEqual(answers.map(({ status }) => status), [200, 200]);
    const read = channels.map((channel) => server.api.get(`/channels/${channel}/truth`));
    for (const { status } of await Promise.all(read)) assert.equal(status, 200);
  }
});

test('t023: a call to several channels that finds no room has published to none', async () => {
  const data = 'x'.repeat(9_000);
  for (let refused = 0, call = 0; refused < 3; call++) {
    assert.ok(call < 100, 'the memory never was full');
    const names = Array.from({ length: 20 }, () => fresh('m-'));
    const body = { name: 'e', data, channels: names, idempotency_key: `call-${call}` };
    const { status, text } = await server.api.post('/events', body);
    if (status !== 200) {
      refused++;
      assert.equal(status, 503, text);
      assert.match(text, /limits\.memory_bytes/);
    }
    for (const name of names) {
      const history = JSON.parse((await server.api.get(`/channels/${name}/history`)).text);
      assert.equal(history.offset, status === 200 ? 1 : 0, `${name}: ${text}`);
    }
  }
});
