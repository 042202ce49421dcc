// SPDX-License-Identifier: MIT OR Apache-2.0
// Answers what the package's own `integration_tests_server` answers: authorisation as JSON and as
// JSONP, triggering through the official server library, echoes for the script specs.
import http from 'node:http';
import { once } from 'node:events';

const plain = (text) => Buffer.from(text ?? '', 'base64').toString();

function decoded(text) {
  try {
    return JSON.parse(plain(text));
  } catch {
    return plain(text);
  }
}

export async function specBackend(library) {
  const authorise = (form) => {
    const socketId = form.get('socket_id');
    const user_info = { name: `Integration ${socketId}`, email: `integration-${socketId}@example.com` };
    return library.authorizeChannel(socketId, form.get('channel_name'), { user_id: socketId, user_info });
  };
  const script = (code) => ({ type: 'text/javascript; charset=utf-8', text: code });

  const answer = async (path, query, form) => {
    if (path === '/auth' && form) return { type: 'application/json', text: JSON.stringify(authorise(form)) };
    if (path === '/auth') return script(`${query.get('callback')}(${JSON.stringify(authorise(query))})`);
    const [, what, number] = /^\/v2\/(send|jsonp\/echo|script_request\/echo)(?:\/(\d+))?$/.exec(path) ?? [];
    if (what === 'send') {
      await library.trigger(plain(query.get('channel')), plain(query.get('event')), JSON.parse(plain(query.get('data'))));
      return script(`Pusher.Integration.ScriptReceivers[${number}](null, {});`);
    }
    if (what === 'jsonp/echo') {
      const echo = Object.fromEntries([...query].map(([key, value]) => [key, decoded(value)]));
      return script(`Pusher.ScriptReceivers[${number}](null, ${JSON.stringify(echo)});`);
    }
    if (what === 'script_request/echo') {
      const { receiver, ...echo } = Object.fromEntries(query);
      return script(`${receiver}(null, ${JSON.stringify(echo)});`);
    }
    return undefined;
  };

  const server = http.createServer(async (call, reply) => {
    const { pathname, searchParams } = new URL(call.url, 'http://host');
    reply.setHeader('access-control-allow-origin', '*');
    reply.setHeader('access-control-allow-headers', '*');
    if (call.method === 'OPTIONS') return reply.writeHead(200).end();
    const parts = [];
    for await (const part of call) parts.push(part);
    const form = call.method === 'POST' ? new URLSearchParams(Buffer.concat(parts).toString()) : undefined;
    const found = await answer(pathname, searchParams, form);
    if (!found) return reply.writeHead(pathname.startsWith('/jsonp/500') ? 500 : 404).end();
    reply.writeHead(200, { 'content-type': found.type }).end(found.text);
  });
  server.listen(0, 'localhost');
  await once(server, 'listening');
  return {
    url: `http://localhost:${server.address().port}`,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
