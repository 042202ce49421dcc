// SPDX-License-Identifier: MIT OR Apache-2.0
// `npm start`: installs what is missing, writes the settings of Oyez, starts the web app and Oyez,
// and prints the address. Ctrl-C ends both; if one of them ends, so does the other.
// `npm run web` and `npm run oyez` start only one of them.
'use strict';

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { setInterval: every } = require('node:timers/promises');
const { StartError } = require('./errors');

const REPOSITORY = path.join(__dirname, '..', '..');
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

const children = new Set();
let stopping = false;

// What is written is ours alone to read, also what Oyez writes.
process.umask(0o077);

async function main(which) {
  if (!['both', 'web', 'oyez'].includes(which)) throw new StartError(`"${which}" cannot be started, only web and oyez.`);
  await install();
  const { host, port, oyezPort } = require('./config/settings');
  const config = require('./setup')();
  if (which !== 'oyez') await mustBeFree(host, port, 'PORT');
  if (which !== 'web') await mustBeFree(host, oyezPort, 'OYEZ_PORT');

  // The web app first: as soon as Oyez is there, pages come back, and ask the web app to let them in.
  if (which !== 'oyez') await startWeb();
  if (which !== 'web') await startOyez(config, `http://${reachable(host)}:${oyezPort}`);
  if (which !== 'oyez') console.log(`\nThe lobby is open: http://${reachable(host)}:${port}\n`);
}

/** Nothing, if it is there: so that one command suffices after a fresh checkout. */
async function install() {
  if (fs.existsSync(path.join(__dirname, 'node_modules'))) return;
  console.log('Installing packages (npm ci) …');
  const npm = spawn('npm', ['ci', '--no-audit', '--no-fund'], { cwd: __dirname, stdio: 'inherit' });
  const [code] = await once(npm, 'exit');
  if (code !== 0) throw new StartError('The packages could not be installed; npm says why above.');
}

async function startWeb() {
  const env = { NODE_ENV: 'production', ...process.env };
  const stdio = ['ignore', 'inherit', 'inherit', 'ipc'];
  const web = start('The web app', process.execPath, ['server.js'], { cwd: __dirname, env, stdio });
  await once(web, 'message'); // that it is ready
}

async function startOyez(config, url) {
  // These two are ours; Oyez would wonder about variables of that name.
  const { OYEZ_BIN, OYEZ_PORT, ...env } = process.env;
  const [command, ...before] = OYEZ_BIN ? [OYEZ_BIN] : ['cargo', 'run', '--release', '-p', 'oyez', '--'];
  const stdio = ['ignore', 'inherit', 'inherit'];
  start('Oyez', command, [...before, 'serve', '--config', config], { cwd: REPOSITORY, env, stdio });
  // However long a first build takes: if it fails, its end ends us.
  for await (const _ of every(100)) {
    const isUp = await fetch(`${url}/up`).then((answer) => answer.ok, () => false);
    if (isUp) return;
  }
}

/** Each child in a group of its own: Ctrl-C in a terminal reaches us alone, and we end them once. */
function start(name, command, args, options) {
  const child = spawn(command, args, { ...options, detached: true });
  children.add(child);
  child.once('error', (error) => {
    children.delete(child);
    fail(new StartError(`${name} cannot be started: ${error.message}`));
  });
  child.once('exit', (code, signal) => {
    children.delete(child);
    if (!stopping) fail(new StartError(`${name} has ended (${signal ?? `code ${code}`}), so the rest ends, too.`));
  });
  return child;
}

async function mustBeFree(host, port, variable) {
  const probe = net.createServer().listen(port, host);
  const error = await once(probe, 'listening').then(() => null, (reason) => reason);
  if (error?.code === 'EADDRINUSE') {
    throw new StartError(`Port ${port} is taken, maybe by an earlier start: end that, or set ${variable} to another.`);
  }
  if (error) throw new StartError(`Port ${port} of ${host} cannot be used: ${error.message}`);
  probe.close();
  await once(probe, 'close');
}

function reachable(host) {
  return host === '0.0.0.0' ? '127.0.0.1' : host;
}

async function stop(code) {
  if (stopping) return; // a second Ctrl-C changes nothing: it takes two seconds
  stopping = true;
  const ends = [...children].map((child) => once(child, 'exit'));
  for (const child of children) child.kill('SIGTERM');
  await Promise.allSettled(ends);
  process.exit(code);
}

function fail(error) {
  if (!stopping) console.error(error instanceof StartError ? `\n${error.message}` : error);
  return stop(1);
}

for (const signal of SIGNALS) process.on(signal, () => stop(0));
main(process.argv[2] ?? 'both').catch(fail);
