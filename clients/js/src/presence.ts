// SPDX-License-Identifier: MIT OR Apache-2.0
// Presence channels: who is there. The members are those of the answer to the subscription, then
// changed by the server's word alone.
import { PrivateChannel } from './channel.js';
import { has } from './json.js';
import type { AuthCallback } from './options.js';

export interface Member {
  id: string;
  info: any;
}

/** The members of a presence channel. */
export class Members {
  members: Record<string, any> = {};
  count = 0;
  myID: any = null;
  me: Member | null = null;

  get(id: string): Member | null {
    return has(this.members, id) ? { id, info: this.members[id] } : null;
  }

  each(fn: (member: Member) => void): void {
    for (const id of Object.keys(this.members)) fn(this.get(id)!);
  }
}

export class PresenceChannel extends PrivateChannel {
  readonly members = new Members();

  override authorize(socketId: string, callback: AuthCallback): void {
    super.authorize(socketId, async (error, answer) => {
      const { user } = this.pusher;
      try {
        if (answer?.channel_data != null) this.members.myID = JSON.parse(answer.channel_data).user_id;
        else if (!error) {
          await user.signinDonePromise;
          this.members.myID = user.user_data?.id;
          if (this.members.myID === undefined) throw new Error(`no channel_data for ${this.name}, and nobody signed in`);
        }
      } catch (wrong) {
        error = wrong;
      }
      callback(error, answer);
    });
  }

  /** @internal */
  override welcome({ presence }: any): Members {
    const { members } = this;
    members.members = { ...presence.hash };
    members.count = presence.count;
    members.me = members.get(members.myID);
    return members;
  }

  /** @internal */
  override internal(event: string, data: any): void {
    const { members } = this;
    const member = members.get(data.user_id);
    if (event === 'pusher_internal:member_added') {
      if (!member) members.count++;
      members.members[data.user_id] = data.user_info;
      this.emit('pusher:member_added', members.get(data.user_id));
    } else if (event === 'pusher_internal:member_removed') {
      if (!member) return;
      members.count--;
      delete members.members[data.user_id];
      this.emit('pusher:member_removed', member);
    } else super.internal(event, data);
  }

  /** @internal */
  override disconnect(): void {
    Object.assign(this.members, new Members());
    super.disconnect();
  }
}
