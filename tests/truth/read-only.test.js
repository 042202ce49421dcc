// SPDX-License-Identifier: MIT OR Apache-2.0
// A truth that is only read by calls: nobody subscribes, and its source was away when it changed.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { eventually } from '../support/inbox.js';
import { fresh } from '../support/names.js';
import { useServer } from '../support/server.js';

const source = { value: 1, status: 200, calls: 0 };
const backend = createServer((request, response) => {
  request.resume().on('end', () => {
    source.calls++;
    response.writeHead(source.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(source.value));
  });
});
backend.listen(0, '127.0.0.1').unref();
await new Promise((resolve) => backend.once('listening', resolve));
const url = `http://127.0.0.1:${backend.address().port}/`;
const server = await useServer({
  app: { channels: [{ match: 'asked-*', truth: { url, event: 'e', settle: '0s' } }] },
});

test('I9: whoever only reads a stale truth has its source asked again', async () => {
  const channel = fresh('asked-');
  const read = async () => JSON.parse((await server.api.get(`/channels/${channel}/truth`)).text);
  assert.equal((await read()).data, 1);
  Object.assign(source, { value: 2, status: 500 });
  const { calls } = source;
  assert.equal((await server.api.post(`/channels/${channel}/changed`, {})).status, 202);
  await eventually(() => source.calls > calls, 'the question that fails');
  const held = await read();
  assert.deepEqual([held.data, held.stale], [1, true]);
  source.status = 200;
  await eventually(async () => {
    const { data, stale } = await read();
    return data === 2 && !stale;
  }, 'the truth that the source has');
});
