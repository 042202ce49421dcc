// SPDX-License-Identifier: MIT OR Apache-2.0
// Starts the web app alone; `npm start` starts Oyez beside it. SIGTERM and SIGINT end it.
'use strict';

const http = require('node:http');
const path = require('node:path');
const { StartError } = require('./errors');

// What is written is ours alone to read: the database has passwords (hashed) and sessions.
process.umask(0o077);

async function main() {
  const { host, port, dataDir } = require('./config/settings');
  const app = require('./app');
  const database = require('./database/database');
  const { AppPusherController } = require('./controllers/appPusherController');
  await database.open(path.join(dataDir, 'lobby.db'));

  const server = http.createServer(app);
  server.requestTimeout = 15_000;
  server.on('error', (error) => {
    database.close();
    fail(error.code === 'EADDRINUSE' ? new StartError(`Port ${port} is taken: end what uses it, or set PORT.`) : error);
  });
  const sockets = new Set();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(port, host, () => {
    console.log(`The web app listens on http://${host}:${port}`);
    process.send?.('ready'); // to start.js
    AppPusherController.TRIGGER_APP_STARTED();
  });

  function stop() {
    server.close(() => {
      database.close();
      process.exit(0);
    });
    server.closeIdleConnections();
    // Browsers open connections ahead of need. One that never asked anything is not idle for Node.js,
    // which would wait half a minute for a question.
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
  }
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, stop);
  // Whoever started us is gone, and nobody would end us.
  process.once('disconnect', stop);
}

function fail(error) {
  console.error(error instanceof StartError ? error.message : error);
  process.exit(1);
}

main().catch(fail);
