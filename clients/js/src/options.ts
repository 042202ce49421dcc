// SPDX-License-Identifier: MIT OR Apache-2.0
// What a page may pass to `new Pusher(key, options)`, and what follows from it.
import type { Backoff } from './backoff.js';

/** What a backend answers. */
export interface AuthAnswer {
  auth: string;
  channel_data?: string;
  shared_secret?: string;
  user_data?: string;
}

export type AuthCallback = (error: any, answer: AuthAnswer | null) => void;

/** Asks for a signature; `channelName` is there when it is for a channel. */
export type CustomHandler = (
  params: { socketId: string; channelName?: string },
  callback: AuthCallback,
) => void;

export interface AuthOptions {
  endpoint?: string;
  /** Only "ajax" is supported. */
  transport?: string;
  params?: Record<string, any>;
  headers?: Record<string, string>;
  paramsProvider?: () => Record<string, any>;
  headersProvider?: () => Record<string, string>;
  customHandler?: CustomHandler | null;
}

/** The part of `tweetnacl` that encrypted channels need. */
export interface Nacl {
  secretbox: { open(box: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array | null };
}

export interface Options {
  /** Default: the host of the page. */
  wsHost?: string;
  /** Default: the page's port where the host is the page's too, else 80. */
  wsPort?: number;
  /** Default: likewise, else 443. */
  wssPort?: number;
  /** A prefix of the path. */
  wsPath?: string;
  /** Pages that came by https always use TLS; others unless this is false. */
  forceTLS?: boolean;
  /** Silence in ms after which the server is asked whether it is there; default 120,000. */
  activityTimeout?: number;
  /** How long it may take to answer, in ms; default 30,000. */
  pongTimeout?: number;
  /** After how many ms without a connection the state becomes "unavailable"; default 10,000. */
  unavailableTimeout?: number;
  /** Waits before reconnecting; default base 1,000 and cap 30,000 ms, see backoff.ts. */
  backoff?: Partial<Backoff>;
  channelAuthorization?: AuthOptions;
  userAuthentication?: AuthOptions;
  authEndpoint?: string;
  authTransport?: string;
  auth?: { params?: Record<string, any>; headers?: Record<string, string> };
  authorizer?: (channel: any, options: object) => { authorize(socketId: string, callback: AuthCallback): void };
  /** `tweetnacl`, for encrypted channels. */
  nacl?: Nacl;
  /** A WebSocket class to use instead of the global one, or in Node of our own. */
  WebSocket?: any;
  /** Accepted and of no effect: cluster, transports, SockJS hosts, statistics. */
  cluster?: string;
  enabledTransports?: string[];
  disabledTransports?: string[];
  httpHost?: string;
  httpPath?: string;
  httpPort?: number;
  httpsPort?: number;
  enableStats?: boolean;
  disableStats?: boolean;
  statsHost?: string;
  timelineParams?: any;
  ignoreNullOrigin?: boolean;
}

/** The version of this client, as it tells the server. */
export const VERSION = '0.1.0';

/** Whether to use TLS. */
export function usesTls({ wsHost, forceTLS }: Options): boolean {
  const { protocol } = (globalThis as { location?: Location }).location ?? {};
  return protocol === 'https:' || (forceTLS ?? wsHost !== undefined);
}

/** Where the server is. */
export function addressOf(key: string, options: Options): string {
  const page = options.wsHost ? undefined : (globalThis as { location?: Location }).location;
  const host = options.wsHost ?? page?.hostname;
  if (!host) throw new Error('no wsHost in the options, and no page to take it from');
  const tls = usesTls(options);
  const port = (tls ? options.wssPort : options.wsPort) ?? (page?.port || (tls ? 443 : 80));
  const query = `protocol=7&client=oyez-js&version=${VERSION}&flash=false`;
  return `${tls ? 'wss' : 'ws'}://${host}:${port}${options.wsPath ?? ''}/app/${key}?${query}`;
}
