-- SPDX-License-Identifier: MIT OR Apache-2.0
-- Times are milliseconds since 1970.

CREATE TABLE users (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    username      TEXT    NOT NULL UNIQUE COLLATE NOCASE,
    password_hash TEXT    NOT NULL,
    created_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE games (
    id         TEXT    NOT NULL PRIMARY KEY,
    host_id    INTEGER NOT NULL REFERENCES users (id),
    status     TEXT    NOT NULL CHECK (status IN ('lobby', 'playing', 'finished')),
    cards      TEXT,               -- JSON of crazy_eights::Game; NULL before the first deal
    turn       INTEGER,            -- the user on turn in it; NULL unless it is being played
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX games_by_status ON games (status, created_at);
CREATE INDEX games_by_change ON games (changed_at);

CREATE TABLE game_users (
    game_id    TEXT    NOT NULL REFERENCES games (id) ON DELETE CASCADE,
    user_id    INTEGER NOT NULL REFERENCES users (id),
    seat       INTEGER NOT NULL,   -- the order of joining
    ready      INTEGER NOT NULL DEFAULT 0,
    gone       TEXT CHECK (gone IN ('left', 'removed')), -- NULL for whoever plays
    away_since INTEGER,            -- NULL while one of the player's pages is connected
    PRIMARY KEY (game_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX game_users_by_user ON game_users (user_id);

CREATE TABLE messages (
    game_id TEXT    NOT NULL REFERENCES games (id) ON DELETE CASCADE,
    number  INTEGER NOT NULL,      -- 1, 2, 3 … in each game, without holes
    user_id INTEGER NOT NULL REFERENCES users (id),
    text    TEXT    NOT NULL,
    time    INTEGER NOT NULL,
    PRIMARY KEY (game_id, number)
) STRICT, WITHOUT ROWID;
