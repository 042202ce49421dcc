// SPDX-License-Identifier: MIT OR Apache-2.0
// Asking the page's backend for a signature: for a channel, or for a user. By a form-encoded POST
// whose answer is JSON, or by a function of the page's own.
import type { AuthAnswer, AuthCallback, AuthOptions, CustomHandler, Options } from './options.js';
import type { Channel } from './channel.js';
import { isObject } from './json.js';
import { parsed } from './protocol.js';

/** What a page hears of an error: `status` is there when the backend answered. */
export function authError(error: any): object {
  const { status, message } = error;
  return { type: 'AuthError', error: message ?? String(error), ...(status && { status }) };
}

function byPost(options: AuthOptions, endpoint: string): CustomHandler {
  const { transport = 'ajax' } = options;
  if (transport !== 'ajax') throw new Error(`authorisation by ${transport} is not supported, only "ajax"`);
  return ({ socketId, channelName }, callback) => {
    const form = new URLSearchParams({
      socket_id: socketId,
      ...(channelName !== undefined && { channel_name: channelName }),
      ...options.params,
      ...options.paramsProvider?.(),
    });
    const url = options.endpoint ?? endpoint;
    const headers = {
      'Content-Type': 'application/x-www-form-urlencoded',
      ...options.headers,
      ...options.headersProvider?.(),
    };
    const asked = fetch(url, { method: 'POST', headers, body: form.toString() }).then(async (answer) => {
      const text = await answer.text();
      const { status } = answer;
      const json = status === 200 && parsed(text);
      if (isObject(json)) return json as AuthAnswer;
      throw { status, message: `${url} should answer 200 with a JSON object, and answered ${status}: ${text}` };
    });
    asked.then((answer) => callback(null, answer), (error) => callback(error, null));
  };
}

const handlerOf = (options: AuthOptions, endpoint: string) => options.customHandler ?? byPost(options, endpoint);

/** How users are authenticated. */
export function userAuthenticator({ userAuthentication = {} }: Options): CustomHandler {
  return handlerOf(userAuthentication, '/pusher/user-auth');
}

/** How channels are authorised. `find` gives the channel to an old-style `authorizer`. */
export function channelAuthorizer(options: Options, find: (name: string) => Channel | undefined): CustomHandler {
  const { authEndpoint = '/pusher/auth', authTransport, auth, authorizer } = options;
  if (authorizer && !options.channelAuthorization) {
    return ({ socketId, channelName }, callback: AuthCallback) =>
      authorizer(find(channelName!), { authEndpoint, authTransport, auth }).authorize(socketId, callback);
  }
  return handlerOf(options.channelAuthorization ?? { transport: authTransport, ...auth }, authEndpoint);
}
