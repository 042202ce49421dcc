// SPDX-License-Identifier: MIT OR Apache-2.0
// The module `oyez-js` in Node: the same, and where neither the options nor the globals have a
// WebSocket (Node 20), our own is used.
import { Connection } from '../connection.js';
import { Socket } from './socket.js';

const { _class } = Connection.prototype;
Connection.prototype._class = function (this: Connection) {
  return _class.call(this) ?? Socket;
};

export * from '../index.js';
export { default } from '../index.js';
