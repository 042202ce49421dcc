// SPDX-License-Identifier: MIT OR Apache-2.0
// A real Chromium, and a small web server for the pages it opens.
import http from 'node:http';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import fs from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';

const packages = path.dirname(createRequire(import.meta.url).resolve('pusher-js/package.json'));

/** The browser builds of the official client. */
export const BUILDS = {
  plain: path.join(packages, 'dist/web/pusher.min.js'),
  'with-encryption': path.join(packages, 'dist/web/pusher-with-encryption.min.js'),
};

/** Debian's browser, with nothing that calls out. */
export function launch(more = []) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync',
      '--disable-background-networking', '--disable-component-update', '--disable-dev-shm-usage', ...more,
    ],
  });
}

/** A page that keeps what it printed and every error it threw. */
export async function pageOf(browser, options) {
  const page = await browser.newPage(options);
  page.errors = [];
  page.on('pageerror', (error) => page.errors.push(String(error)));
  return page;
}

/** Serves texts by path: `{'/': html, '/pusher.js': {file}}`. */
export async function webServer(routes, port = 0) {
  const server = http.createServer((call, reply) => {
    const route = routes[new URL(call.url, 'http://host').pathname];
    if (route === undefined) return reply.writeHead(404).end();
    const isFile = typeof route === 'object';
    const type = isFile || call.url.endsWith('.js') ? 'text/javascript' : 'text/html; charset=utf-8';
    reply.writeHead(200, { 'content-type': type }).end(isFile ? fs.readFileSync(route.file) : route);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
