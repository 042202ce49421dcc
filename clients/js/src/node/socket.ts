// SPDX-License-Identifier: MIT OR Apache-2.0
// A WebSocket client (RFC 6455) for a Node that has none: as much of the browsers' interface as
// connection.ts uses, on node:http and node:https. Text only, no extensions. Each link ends in
// exactly one `onclose`; one that ended without a close frame has code 1006 and says why.
//
// Nothing here throws after the constructor, and no more than MESSAGE_LIMIT bytes of a message are
// ever held.
import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';

/** The most that a message may be, over all its frames, in bytes. */
export const MESSAGE_LIMIT = 16 * 1024 * 1024;
/** How long the other end may take to answer a close, in ms. */
const CLOSE_WAIT = 2_000;
/** The most that a control frame may carry, in bytes. */
const CONTROL_LIMIT = 125;
/** Lengths that say that the length follows, in 2 and in 8 bytes. */
const LENGTH_16 = 126;
const LENGTH_64 = 127;
/** What each key is hashed with: RFC 6455, section 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

const FIN = 0x80;
const RESERVED = 0x70;
const MASKED = 0x80;
const CONTROL = 0x08;
const CONTINUATION = 0x0, TEXT = 0x1, BINARY = 0x2, CLOSE = 0x8, PING = 0x9, PONG = 0xa;

const NORMAL = 1000, PROTOCOL_ERROR = 1002, UNSUPPORTED = 1003, NO_CODE = 1005, ABNORMAL = 1006, NOT_UTF8 = 1007, TOO_LARGE = 1009;

/** Whether a close frame may have that code: RFC 6455, section 7.4. */
const mayBeSent = (code: number) =>
  (code >= NORMAL && code <= 1014 && code !== 1004 && code !== NO_CODE && code !== ABNORMAL) || (code >= 3000 && code < 5000);

const utf8 = () => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A frame as a client must send it: whole, and masked. */
function frameOf(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const extra = length < LENGTH_16 ? 0 : length <= 0xffff ? 2 : 8;
  const start = 2 + extra + 4;
  const frame = Buffer.allocUnsafe(start + length);
  frame[0] = FIN | opcode;
  frame[1] = MASKED | (extra === 0 ? length : extra === 2 ? LENGTH_16 : LENGTH_64);
  if (extra === 2) frame.writeUInt16BE(length, 2);
  if (extra === 8) frame.writeBigUInt64BE(BigInt(length), 2);
  const mask = randomBytes(4);
  mask.copy(frame, start - 4);
  for (let n = 0; n < length; n++) frame[start + n] = payload[n]! ^ mask[n & 3]!;
  return frame;
}

export class Socket {
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: string }) => void) | null = null;
  onerror: ((error: { message: string }) => void) | null = null;
  onclose: ((close: { code: number; reason: string }) => void) | null = null;
  private _state: 'connecting' | 'open' | 'closing' | 'closed' = 'connecting';
  private _request: http.ClientRequest;
  private _stream?: Duplex;
  /** What came and makes no frame yet, and how many bytes of it there must be to go on. */
  private _chunks: Buffer[] = [];
  private _held = 0;
  private _needed = 2;
  /** The message whose fragments are coming. */
  private _text: { decoder: TextDecoder; text: string; size: number } | null = null;

  /** Connects at once. Throws when the address is none. */
  constructor(url: string) {
    const key = randomBytes(16).toString('base64');
    const accept = createHash('sha1').update(key + GUID).digest('base64');
    const address = new URL(url.replace(/^ws/, 'http'));
    this._request = (address.protocol === 'https:' ? https : http).get(address, {
      agent: false,
      headers: { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': key },
    });
    this._request.on('error', ({ message }) => this._fail(message));
    this._request.on('response', ({ statusCode }) => this._fail(`the server answered ${statusCode} instead of a WebSocket`));
    this._request.on('upgrade', ({ headers }, stream, head) => {
      stream.on('error', ({ message }) => this._fail(message));
      if (this._state !== 'connecting') return void stream.destroy();
      this._stream = stream;
      if (headers['sec-websocket-accept'] !== accept || headers.upgrade?.toLowerCase() !== 'websocket') return this._fail('not an answer to this handshake');
      if (headers['sec-websocket-extensions']) return this._fail('an extension that nobody asked for');
      this._state = 'open';
      stream.setNoDelay(true);
      stream.on('data', (chunk) => this._receive(chunk));
      stream.on('close', () => this._end(ABNORMAL, ''));
      this.onopen?.();
      this._receive(head);
    });
  }

  /** Sends a text message; without effect when the link is not open. */
  send(text: string): void {
    if (this._state === 'open') this._write(TEXT, Buffer.from(text));
  }

  /** Says goodbye and waits a while for the answer; gives up an attempt. */
  close(code = NORMAL, reason = ''): void {
    if (this._state === 'connecting') this._fail('closed before there was a connection');
    if (this._state !== 'open') return;
    this._state = 'closing';
    this._goodbye(code, reason);
    const late = setTimeout(() => this._fail('no answer to a close'), CLOSE_WAIT);
    this._stream!.once('close', () => clearTimeout(late));
  }

  private _write(opcode: number, payload: Buffer): void {
    this._stream!.write(frameOf(opcode, payload));
  }

  private _goodbye(code: number, reason: string): void {
    const payload = Buffer.alloc(code === NO_CODE ? 0 : 2);
    if (payload.length) payload.writeUInt16BE(code);
    this._write(CLOSE, Buffer.concat([payload, Buffer.from(reason)]).subarray(0, CONTROL_LIMIT));
  }

  /** The link is over, told once. */
  private _end(code: number, reason: string): void {
    if (this._state === 'closed') return;
    this._state = 'closed';
    this._chunks = [];
    this._text = null;
    this.onclose?.({ code, reason });
  }

  /** It broke. */
  private _fail(reason: string): void {
    if (this._state !== 'closed') this.onerror?.({ message: reason });
    this._end(ABNORMAL, reason);
    this._request.destroy();
    this._stream?.destroy();
  }

  /** The other end does what it must not, and is told so. */
  private _refuse(code: number, reason: string): void {
    if (this._state === 'open') this._goodbye(code, reason);
    this.onerror?.({ message: reason });
    this._part(code, reason);
  }

  /** Both ends said goodbye, or one will not be heard any more: the stream ends soon. */
  private _part(code: number, reason: string): void {
    const stream = this._stream!;
    stream.end();
    const late = setTimeout(() => stream.destroy(), CLOSE_WAIT);
    stream.once('close', () => clearTimeout(late));
    this._end(code, reason);
  }

  private _receive(chunk: Buffer): void {
    if (this._state === 'closed') return;
    this._chunks.push(chunk);
    this._held += chunk.length;
    if (this._held < this._needed) return;
    let bytes = this._chunks.length === 1 ? chunk : Buffer.concat(this._chunks);
    for (let size; this._alive() && (size = this._frame(bytes)); ) bytes = bytes.subarray(size);
    this._chunks = this._alive() ? [bytes] : [];
    this._held = bytes.length;
  }

  private _alive(): boolean {
    return this._state === 'open' || this._state === 'closing';
  }

  /** Handles the frame that the bytes begin with; its size, or 0 when more of it must come. */
  private _frame(bytes: Buffer): number {
    const wants = (size: number) => ((this._needed = size), bytes.length < size);
    if (wants(2)) return 0;
    const [first, second] = bytes as unknown as [number, number];
    const opcode = first & 0x0f;
    if (first & RESERVED || second & MASKED) return this._refuse(PROTOCOL_ERROR, 'a frame with bits that must not be set'), 0;
    if (opcode & CONTROL && (!(first & FIN) || second > CONTROL_LIMIT)) return this._refuse(PROTOCOL_ERROR, 'a control frame in parts or too long'), 0;
    const extra = second === LENGTH_16 ? 2 : second === LENGTH_64 ? 8 : 0;
    if (wants(2 + extra)) return 0;
    const length = extra === 2 ? bytes.readUInt16BE(2) : extra === 8 ? Number(bytes.readBigUInt64BE(2)) : second;
    if (length + (this._text?.size ?? 0) > MESSAGE_LIMIT) return this._refuse(TOO_LARGE, `a message of more than ${MESSAGE_LIMIT} bytes`), 0;
    if (wants(2 + extra + length)) return 0;
    this._needed = 2;
    const payload = bytes.subarray(2 + extra, 2 + extra + length);
    if (opcode === CLOSE) this._closed(payload);
    else if (opcode === PING) this._state === 'open' && this._write(PONG, payload);
    else if (opcode !== PONG) this._data(opcode, payload, (first & FIN) !== 0 ? 'last' : 'more');
    return 2 + extra + length;
  }

  private _data(opcode: number, payload: Buffer, place: 'last' | 'more'): void {
    if (opcode === BINARY) return this._refuse(UNSUPPORTED, 'only text is understood');
    if (opcode > BINARY || (opcode === CONTINUATION) !== (this._text !== null)) return this._refuse(PROTOCOL_ERROR, 'a frame out of place');
    const message = (this._text ??= { decoder: utf8(), text: '', size: 0 });
    message.size += payload.length;
    try {
      message.text += message.decoder.decode(payload, { stream: place === 'more' });
    } catch {
      return this._refuse(NOT_UTF8, 'a text that is not UTF-8');
    }
    if (place === 'more') return;
    this._text = null;
    if (this._state === 'open') this.onmessage?.({ data: message.text });
  }

  private _closed(payload: Buffer): void {
    const code = payload.length ? (payload.length > 1 ? payload.readUInt16BE() : 0) : NO_CODE;
    if (payload.length && !mayBeSent(code)) return this._refuse(PROTOCOL_ERROR, 'a close with a code that there is not');
    if (this._state === 'open') this._goodbye(code, '');
    this._part(code, payload.subarray(2).toString());
  }
}
