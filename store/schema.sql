-- The session file, format 1. docs/session-format.md says it in prose.
-- The pragmas that make it (application_id, user_version, page_size, auto_vacuum,
-- journal_mode) are set by Create, because some must come before the first table.

-- What the file says of itself: uuid (16 bytes), created (ns), weir (version), name …
CREATE TABLE session (
  key   TEXT PRIMARY KEY,
  value ANY
) STRICT, WITHOUT ROWID;

-- The narrow columns that decide filters and sorts: package flowpb's Summary.
-- One row a flow, id in arrival order. No index but the primary key: a whole scan
-- of a million rows is cheaper than what indexes cost while capturing. It is the
-- narrower the faster, so what few flows have for themselves is a number: `site`
-- that of a site, the columns said to be terms that of a term.
CREATE TABLE flow (
  id            INTEGER PRIMARY KEY,
  revision      INTEGER NOT NULL,  -- change.revision of the last change
  kind          INTEGER NOT NULL,
  state         INTEGER NOT NULL,
  flags         INTEGER NOT NULL,
  replay        INTEGER NOT NULL,
  started       INTEGER NOT NULL,  -- ns since the epoch
  duration      INTEGER,           -- ns; NULL while open
  ttfb          INTEGER,           -- ns to the response's first byte
  status        INTEGER,           -- NULL: no response
  request_size  INTEGER,           -- bytes of stored body; NULL: no body
  response_size INTEGER,
  site          INTEGER NOT NULL,
  method        INTEGER NOT NULL,  -- term
  content_type  INTEGER NOT NULL,  -- term
  request_type  INTEGER NOT NULL,  -- term
  version       INTEGER NOT NULL,  -- term
  client        INTEGER NOT NULL,  -- term
  server        INTEGER NOT NULL,  -- term
  agent         INTEGER NOT NULL,  -- term
  path          TEXT NOT NULL
);

-- Where flows went, each once. A row never changes, and the index has the hosts in
-- their order.
CREATE TABLE site (
  id        INTEGER PRIMARY KEY,
  host      TEXT NOT NULL,
  port      INTEGER NOT NULL,
  scheme    TEXT NOT NULL,
  authority TEXT NOT NULL,           -- '' unless it differs from host and port
  UNIQUE (host, port, scheme, authority)
);

-- Texts that many flows have in common, each once. A row never changes.
CREATE TABLE term (
  id   INTEGER PRIMARY KEY,
  text TEXT NOT NULL UNIQUE
);

-- Flows that were removed and can be brought back: the rows of flow, column for
-- column, out of sight of every scan, while their heads, bodies, messages and notes stay.
-- Rows with the same `at` were removed together and come back together. at = 0: dropped
-- for good, and being deleted piece by piece; this row goes last.
CREATE TABLE removed (
  at            INTEGER NOT NULL,  -- ns since the epoch; each removal later than the one before
  id            INTEGER PRIMARY KEY,
  revision      INTEGER NOT NULL,
  kind          INTEGER NOT NULL,
  state         INTEGER NOT NULL,
  flags         INTEGER NOT NULL,
  replay        INTEGER NOT NULL,
  started       INTEGER NOT NULL,
  duration      INTEGER,
  ttfb          INTEGER,
  status        INTEGER,
  request_size  INTEGER,
  response_size INTEGER,
  site          INTEGER NOT NULL,
  method        INTEGER NOT NULL,
  content_type  INTEGER NOT NULL,
  request_type  INTEGER NOT NULL,
  version       INTEGER NOT NULL,
  client        INTEGER NOT NULL,
  server        INTEGER NOT NULL,
  agent         INTEGER NOT NULL,
  path          TEXT NOT NULL
);
CREATE INDEX removed_at ON removed (at);

-- The flow itself: a flowpb blob (version byte, protobuf), apart from the narrow
-- table so that a scan of that never drags it.
CREATE TABLE head (
  id   INTEGER PRIMARY KEY,
  blob BLOB NOT NULL
);

-- Bodies as received (content coding kept), in pieces, so that no body needs more
-- memory than a piece. id = flow << 23 | side << 20 | piece: one integer key keeps a
-- body's pieces together and lets a scan walk flows in ranges. Pieces are numbered
-- 0, 1, 2 … and follow each other without a gap; each has 16 KB to 256 KB, but for
-- the last of what was written before a flow ended, which may have less. `start` rises
-- with `piece`, so that an offset is found by bisection.
CREATE TABLE body (
  id    INTEGER PRIMARY KEY,
  start INTEGER NOT NULL,            -- offset of the first byte in the body
  size  INTEGER NOT NULL,            -- bytes, before enc
  -- 0: data is the bytes as received. 1: a zstd frame of them (RFC 8878). 2: data is
  -- an integer, shared.body; the bytes are those of that body at the same offset.
  enc   INTEGER NOT NULL DEFAULT 0,
  data  BLOB NOT NULL
);

-- Bodies that others with the same bytes refer to, or may. Their pieces stand in
-- `body` under the flow that had them first, and stay when that flow is removed, for
-- as long as they are used. They refer to no other body.
CREATE TABLE shared (
  body   INTEGER PRIMARY KEY,  -- body.id of the first piece
  sha256 BLOB NOT NULL,        -- of the bytes as received
  size   INTEGER NOT NULL,     -- bytes as received
  uses   INTEGER NOT NULL      -- bodies that need them; its own flow's counts
);
CREATE UNIQUE INDEX shared_sha256 ON shared (sha256);

-- Bodies that nobody needs any more, whose pieces are still to be deleted.
CREATE TABLE freed (
  body INTEGER PRIMARY KEY  -- body.id of the first piece
);

-- Flows that had not ended when the compactor came by: it looks at them again.
CREATE TABLE revisit (
  flow INTEGER PRIMARY KEY
);

-- One message a row. id = flow << 28 | sequence.
CREATE TABLE message (
  id      INTEGER PRIMARY KEY,
  at      INTEGER NOT NULL,
  side    INTEGER NOT NULL,
  type    INTEGER NOT NULL,
  flags   INTEGER NOT NULL,  -- 1 dropped, 2 injected, 4 continues, 8 compressed
  detail  BLOB,              -- a Message with what else there is to say; mostly nothing
  content BLOB NOT NULL
);

CREATE TABLE conn (
  id   INTEGER PRIMARY KEY,
  blob BLOB NOT NULL
);

CREATE TABLE cert (
  sha256 BLOB PRIMARY KEY,
  der    BLOB NOT NULL
) WITHOUT ROWID;

-- What people say of flows. Other processes write here.
CREATE TABLE note (
  flow      INTEGER PRIMARY KEY,
  marked    TEXT NOT NULL DEFAULT '',
  tags      TEXT NOT NULL DEFAULT '',  -- comma between and around: ",a,b,"
  comment   TEXT NOT NULL DEFAULT '',
  highlight TEXT NOT NULL DEFAULT ''
);

-- View state: filter, order, focus, panes; one row a name.
CREATE TABLE state (
  name  TEXT PRIMARY KEY,
  value BLOB NOT NULL
) WITHOUT ROWID;

-- The change log, one row a commit: which flows it touched. Trimmed from the old end.
CREATE TABLE change (
  revision INTEGER PRIMARY KEY,  -- the newest row is never trimmed: max + 1 is the next
  flows    BLOB NOT NULL   -- ids, ascending, as uvarint differences
);

-- The sessions that flows of this one were copied from: see origin.
CREATE TABLE source (
  id      INTEGER PRIMARY KEY,
  uuid    BLOB NOT NULL UNIQUE,
  name    TEXT NOT NULL,    -- of its file when it was merged; '' where only flows of it were met
  created INTEGER NOT NULL, -- ns since the epoch; 0: not known
  creator TEXT NOT NULL
);

-- Who flows were before they were copied here: Flow.uid of the head, so that the
-- same flow is known again without reading heads. Flows that this session recorded
-- itself have no row.
CREATE TABLE origin (
  flow     INTEGER PRIMARY KEY,
  source   INTEGER NOT NULL,
  sequence INTEGER NOT NULL,  -- its id there
  UNIQUE (source, sequence)
);

-- The flows for people and other programs, in the words of `weir query --format json`.
-- Its columns do not change when the tables above do; new ones come last.
CREATE VIEW flows AS SELECT
  f.id,
  (SELECT substr(u, 1, 8) || '-' || substr(u, 9, 4) || '-' || substr(u, 13, 4) || '-' || substr(u, 17, 4) || '-' || substr(u, 21)
    FROM (SELECT lower(hex(coalesce(o.uuid, (SELECT value FROM session WHERE key = 'uuid')))) AS u))
    || ':' || coalesce(o.sequence, f.id) AS uid,
  CASE f.kind WHEN 1 THEN 'http' WHEN 2 THEN 'tcp' WHEN 3 THEN 'udp' WHEN 4 THEN 'dns' WHEN 5 THEN 'tls' ELSE 'unknown' END AS kind,
  CASE f.state WHEN 1 THEN 'request' WHEN 2 THEN 'waiting' WHEN 3 THEN 'response' WHEN 4 THEN 'open' WHEN 5 THEN 'complete'
    WHEN 6 THEN 'error' ELSE 'unknown' END AS state,
  nullif((SELECT text FROM term WHERE id = f.method), '') AS method,
  nullif(s.scheme, '') AS scheme,
  nullif(s.host, '') AS host,
  nullif(s.port, 0) AS port,
  nullif(f.path, '') AS path,
  CASE
    WHEN f.kind = 4 THEN nullif(f.path, '')
    WHEN f.kind <> 1 OR s.scheme = '' OR s.host = '' AND s.authority = '' THEN NULL
    WHEN s.authority <> '' THEN s.scheme || '://' || s.authority || f.path
    ELSE s.scheme || '://' || CASE WHEN instr(s.host, ':') THEN '[' || s.host || ']' ELSE s.host END
      || CASE WHEN s.port = 0 OR s.scheme = 'http' AND s.port = 80 OR s.scheme = 'https' AND s.port = 443 THEN '' ELSE ':' || s.port END
      || f.path
  END AS url,
  nullif((SELECT text FROM term WHERE id = f.version), '') AS http_version,
  f.status,
  nullif((SELECT text FROM term WHERE id = f.content_type), '') AS content_type,
  f.request_size,                      -- bytes
  f.response_size,
  strftime('%Y-%m-%dT%H:%M:%S', f.started / 1000000000, 'unixepoch') || printf('.%09dZ', f.started % 1000000000) AS started_at,
  f.duration / 1e6 AS duration_ms,
  f.ttfb / 1e6 AS ttfb_ms,
  nullif((SELECT text FROM term WHERE id = f.client), '') AS client,
  nullif((SELECT text FROM term WHERE id = f.server), '') AS server,
  f.flags >> 1 & 1 AS failed,          -- 1: Flow.error is set, 0: it is not
  nullif(n.marked, '') AS marked,
  nullif(n.comment, '') AS comment,
  nullif(trim(n.tags, ','), '') AS tags,  -- comma between
  CASE f.replay WHEN 1 THEN 'request' WHEN 2 THEN 'response' END AS replay,
  nullif((SELECT text FROM term WHERE id = f.agent), '') AS agent
FROM flow f
LEFT JOIN site s ON s.id = f.site
LEFT JOIN note n ON n.flow = f.id
LEFT JOIN (SELECT origin.flow, origin.sequence, source.uuid FROM origin JOIN source ON source.id = origin.source) o ON o.flow = f.id;
