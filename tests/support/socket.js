// SPDX-License-Identifier: MIT OR Apache-2.0
// A WebSocket client over plain TCP that can break every rule: it sends bytes as told, checks the
// server's strictly, and speaks just enough Pusher to be short in a test.
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import * as frames from './frames.js';
import { DEADLINE, Inbox, within } from './inbox.js';
import { channelAuth, userAuth } from './sign.js';

const ACCEPT = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

export class Socket {
  /** Text messages, parsed: `{event, channel, data, …, raw, seq}`. */
  messages = new Inbox('messages');
  /** Every other frame: `{opcode, payload, seq}`. */
  control = new Inbox('frames');
  pongs = true;
  socketId = null;
  #bytes = Buffer.alloc(0);
  #seq = 0;
  #partial = null;

  constructor(server, app) {
    Object.assign(this, { server, app });
  }

  /**
   * Opens the WebSocket. `path` replaces the whole request target, `query` changes single
   * parameters (undefined removes), `also` is sent in the same packet as the handshake.
   */
  static async open(server, { app = server.app, path, query = {}, headers = {}, also, slowly = false } = {}) {
    const socket = new Socket(server, app);
    socket.tcp = net.connect(server.port, '127.0.0.1');
    socket.tcp.setNoDelay(true);
    socket.tcp.on('error', (error) => socket.#over(error.code));
    await within(DEADLINE, 'connecting', once(socket.tcp, 'connect'));
    const parameters = { protocol: 7, client: 'test', version: '1.0', flash: false, ...query };
    const target = path ?? `${server.prefix}/app/${app.key}?${Object.entries(parameters)
      .filter(([, value]) => value !== undefined).map((pair) => pair.join('=')).join('&')}`;
    const key = randomBytes(16).toString('base64');
    const lines = Object.entries({
      host: `127.0.0.1:${server.port}`, upgrade: 'websocket', connection: 'Upgrade',
      'sec-websocket-key': key, 'sec-websocket-version': '13', ...headers,
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    const hello = Buffer.from(`GET ${target} HTTP/1.1\r\n${lines.join('')}\r\n`);
    const bytes = also ? Buffer.concat([hello, also]) : hello;
    if (slowly) await socket.byteByByte(bytes);
    else socket.tcp.write(bytes);
    socket.response = await within(DEADLINE, 'the handshake', socket.#head());
    if (socket.status === 101) {
      const expected = createHash('sha1').update(key + ACCEPT).digest('base64');
      if (socket.header('sec-websocket-accept') !== expected) throw new Error('wrong sec-websocket-accept');
      socket.#feed(Buffer.alloc(0));
      socket.tcp.on('data', (part) => socket.#feed(part));
    }
    return socket;
  }

  /** Opens it and waits for `connection_established`. */
  static async connect(server, options) {
    const socket = await Socket.open(server, options);
    if (socket.status !== 101) throw new Error(`handshake refused: ${socket.response}`);
    const hello = await socket.event('pusher:connection_established');
    socket.hello = hello;
    socket.socketId = JSON.parse(hello.data).socket_id;
    return socket;
  }

  get status() {
    return Number(this.response.split(' ')[1]);
  }

  header(name) {
    return new RegExp(`^${name}: *(.*)$`, 'im').exec(this.response)?.[1].trim();
  }

  #head() {
    return new Promise((resolve, reject) => {
      const onData = (part) => {
        this.#bytes = Buffer.concat([this.#bytes, part]);
        const end = this.#bytes.indexOf('\r\n\r\n');
        if (end < 0) return;
        this.tcp.off('data', onData);
        const head = this.#bytes.subarray(0, end).toString();
        this.#bytes = this.#bytes.subarray(end + 4);
        resolve(head);
      };
      this.tcp.on('data', onData);
      this.tcp.on('close', () => {
        this.#over('closed');
        reject(new Error('closed during the handshake'));
      });
    });
  }

  #over(reason) {
    this.messages.end(reason);
    this.control.end(reason);
  }

  #feed(part) {
    const { frames: whole, rest } = frames.parse(this.#bytes.length ? Buffer.concat([this.#bytes, part]) : part);
    this.#bytes = Buffer.from(rest);
    for (const { fin, opcode, payload } of whole) {
      const seq = this.#seq++;
      if (opcode === frames.PING && this.pongs) this.write(frames.frame(frames.PONG, payload));
      if (opcode >= 0x8) {
        this.control.push({ opcode, payload: Buffer.from(payload), seq });
      } else {
        this.#partial = this.#partial ? Buffer.concat([this.#partial, payload]) : payload;
        if (fin) this.#message(this.#partial.toString(), seq);
        if (fin) this.#partial = null;
      }
    }
  }

  #message(raw, seq) {
    const parsed = JSON.parse(raw);
    this.messages.push({ ...parsed, raw, seq });
  }

  // Sending.

  write(bytes) {
    return new Promise((resolve) => this.tcp.write(bytes, () => resolve()));
  }

  send(message) {
    return this.write(frames.json(message));
  }

  sendText(text) {
    return this.write(frames.text(text));
  }

  /** Every byte in a packet of its own, as far as the kernel lets us: each waits for the last. */
  async byteByByte(bytes) {
    for (const byte of bytes) await this.write(Buffer.from([byte]));
  }

  // Receiving.

  /** Takes the first message of that name (and channel, if given). */
  event(name, channel, deadline) {
    return this.messages.take(
      (message) => message.event === name && (channel === undefined || message.channel === channel),
      channel === undefined ? name : `${name} on ${channel}`, deadline,
    );
  }

  /** Takes the next `pusher:error`; its data. */
  async error(deadline) {
    return (await this.event('pusher:error', undefined, deadline)).data;
  }

  /** Takes the first frame of that opcode. */
  frame(opcode, deadline) {
    return this.control.take((frame) => frame.opcode === opcode, `frame 0x${opcode.toString(16)}`, deadline);
  }

  /** Waits for the server's close frame and the end of the connection; `{code, reason}`. */
  async closed(deadline) {
    const { payload } = await this.frame(frames.CLOSE, deadline);
    const code = payload.length >= 2 ? payload.readUInt16BE(0) : undefined;
    if (!this.tcp.writableEnded) this.tcp.write(frames.close(code));
    await this.ended(deadline);
    return { code, reason: payload.subarray(2).toString() };
  }

  /** Waits until the server has closed the TCP connection. */
  async ended(deadline = DEADLINE) {
    if (!this.tcp.closed) await within(deadline, 'the end of the connection', once(this.tcp, 'close'));
  }

  /** Proves that the connection lives and has answered all it was sent before. */
  async alive() {
    await this.send({ event: 'pusher:ping', data: {} });
    await this.event('pusher:pong');
  }

  /**
   * Proves that nothing else is on its way on a channel this socket is subscribed to: whatever
   * was published before is here now. Returns and takes the channel's messages until then, less
   * the fences of other sockets.
   */
  async fence(channel) {
    const name = `fence-${randomBytes(4).toString('hex')}`;
    await this.server.api.publish(channel, name, '');
    await this.event(name, channel);
    return this.#takeAll((message) => message.channel === channel && !message.event.startsWith('fence-'));
  }

  #takeAll(matches) {
    const taken = this.messages.items.filter(matches);
    this.messages.items = this.messages.items.filter((message) => !matches(message));
    return taken;
  }

  // Speaking Pusher.

  /**
   * The subscribe message, signed when its kind needs that. `oyez` and `resume` are what a client
   * that knows Oyez says besides.
   */
  subscription(channel, { auth, data, resign = true, oyez, resume } = {}) {
    const channel_data = data === undefined || typeof data === 'string' ? data : JSON.stringify(data);
    const signed = resign && /^(private|presence)-/.test(channel);
    return {
      event: 'pusher:subscribe',
      data: { channel, auth: auth ?? (signed ? channelAuth(this.app, this.socketId, channel, channel_data) : ''), channel_data, oyez, resume },
    };
  }

  /** Subscribes and waits for success; resolves to its parsed data. */
  async subscribe(channel, options) {
    this.send(this.subscription(channel, options));
    return this.subscribed(channel);
  }

  async subscribed(channel, deadline) {
    const { data } = await this.event('pusher_internal:subscription_succeeded', channel, deadline);
    return JSON.parse(data);
  }

  /** Subscribes and waits for refusal; resolves to the `subscription_error`'s data. */
  async refused(channel, options) {
    this.send(this.subscription(channel, options));
    return (await this.event('pusher:subscription_error', channel)).data;
  }

  unsubscribe(channel) {
    return this.send({ event: 'pusher:unsubscribe', data: { channel } });
  }

  trigger(channel, event, data) {
    return this.send({ event, channel, data });
  }

  /** Sends a sign-in; waits for success unless told otherwise. */
  async signin(user, { auth, wait = true } = {}) {
    const user_data = typeof user === 'string' ? user : JSON.stringify(user);
    this.send({ event: 'pusher:signin', data: { auth: auth ?? userAuth(this.app, this.socketId, user_data), user_data } });
    return wait ? this.event('pusher:signin_success') : undefined;
  }

  /** Says goodbye and waits until the server has let go. */
  async close() {
    if (this.tcp.destroyed) return;
    this.tcp.write(frames.close(1000));
    await this.ended();
  }

  /** Vanishes: a TCP reset, no close frame. */
  vanish() {
    this.tcp.resetAndDestroy();
  }
}
