// SPDX-License-Identifier: MIT OR Apache-2.0
// Strangers who ask for nothing in particular, without end: so many connections on which requests
// are pipelined. Run as a program of its own, so that they take no time of the test that watches:
// `node strangers.js PORT CONNECTIONS`. Says `ready` once each of them was answered.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(import.meta.url);
const REQUESTS = Buffer.from('GET /nothing HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(500));

/** Lets so many strangers loose for the time of a test; resolves when all have been answered. */
export async function strangers(t, port, connections) {
  const child = fork(HERE, [String(port), String(connections)]);
  const exited = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const [message] = await Promise.race([once(child, 'message'), exited]);
  if (message !== 'ready') throw new Error(`the strangers ended: ${message}`);
}

if (process.argv[1] === HERE) {
  const [port, connections] = process.argv.slice(2).map(Number);
  let unanswered = connections;
  for (let n = 0; n < connections; n++) {
    const socket = net.connect(port, '127.0.0.1');
    const more = () => {
      while (socket.write(REQUESTS));
    };
    socket.once('connect', more).on('drain', more).on('error', () => {});
    socket.once('data', () => {
      unanswered -= 1;
      if (unanswered === 0) process.send('ready');
    }).on('data', () => {});
  }
}
