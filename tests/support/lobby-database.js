// SPDX-License-Identifier: MIT OR Apache-2.0
// What is really in an app's database: its SQLite file, read by Python's own module and by nothing
// of the app's. The truths are written here once more, from what they promise.
import { spawn } from 'node:child_process';
import path from 'node:path';
import readline from 'node:readline';
import { within, DEADLINE } from './inbox.js';
import { PYTHON } from './server.js';

const READER = path.join(path.dirname(new URL(import.meta.url).pathname), 'lobby_database.py');

/** The versions differ in how they note the host, and who is gone. */
const PLAYERS = {
  rust: `SELECT u.id, u.username, gu.ready, g.host_id = u.id AS host
    FROM game_users gu, users u, games g
    WHERE gu.game_id = ? AND u.id = gu.user_id AND g.id = gu.game_id AND gu.gone IS NULL
    ORDER BY gu.seat`,
  express: `SELECT u.id, u.username, gu.ready, gu.seat = min(gu.seat) OVER () AS host
    FROM game_users gu, users u
    WHERE gu.game_id = ? AND u.id = gu.user_id AND gu.removed = 0
    ORDER BY gu.seat`,
};

export class LobbyDatabase {
  #waiting = [];

  constructor(kind, file) {
    Object.assign(this, { kind, file });
    this.child = spawn(PYTHON, [READER, file], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.child.on('exit', () => this.#waiting.splice(0).forEach(({ reject }) => reject(new Error('the reader ended'))));
    readline.createInterface({ input: this.child.stdout }).on('line', (line) => {
      const { resolve, reject } = this.#waiting.shift();
      const { rows, error } = JSON.parse(line);
      if (error) reject(new Error(error));
      else resolve(rows);
    });
  }

  /** The rows that a query answers. */
  rows(sql, ...parameters) {
    const answer = new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
    this.child.stdin.write(`${JSON.stringify([sql, parameters])}\n`);
    return within(DEADLINE, 'reading the database', answer);
  }

  async row(sql, ...parameters) {
    return (await this.rows(sql, ...parameters))[0];
  }

  stop() {
    this.child.kill();
  }

  async userId(name) {
    return (await this.row('SELECT id FROM users WHERE username = ?', name))?.id;
  }

  /** Who plays in a game, in the order of joining: `[{id, username, ready, host}]`. */
  async players(game) {
    const rows = await this.rows(PLAYERS[this.kind], game);
    return rows.map(({ ready, host, ...player }) => ({ ...player, ready: Boolean(ready), host: Boolean(host) }));
  }

  /** The whole chat of a game, oldest first: `[{number, username, text}]`. */
  messages(game) {
    return this.rows(
      `SELECT m.number, u.username, m.text FROM messages m, users u
       WHERE m.game_id = ? AND u.id = m.user_id ORDER BY m.number`, game,
    );
  }

  async status(game) {
    return (await this.row('SELECT status FROM games WHERE id = ?', game))?.status;
  }

  /** How the cards of a game lie: what only the server knows. */
  async cards(game) {
    return JSON.parse((await this.row('SELECT cards FROM games WHERE id = ?', game)).cards);
  }

  /** All of a game that somebody can change on purpose, as text. */
  async snapshot(game) {
    const { status, cards } = await this.row('SELECT * FROM games WHERE id = ?', game);
    return JSON.stringify([status, cards, await this.players(game), await this.messages(game)]);
  }

  /** What the players of a game hold, by user id, sorted. */
  async hands(game) {
    const { seats } = await this.cards(game);
    return Object.fromEntries(seats.map(({ player, hand }) => [player, [...hand].sort()]));
  }
}
