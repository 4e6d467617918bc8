/// The tables of the registry and the steps that bring an older file up to date.
///
/// Step i takes a file from `PRAGMA user_version = i` to i + 1. A step that has been released is never edited:
/// a change of the schema is a new step at the end.
enum Schema {
    /// Marks the file as ours in the SQLite header (the letters "ShAt"), so that no other program's database is ever
    /// altered.
    static let applicationID = 0x5368_4174

    /// The version this program writes, and the newest it can read.
    static var version: Int { migrations.count }

    /// After the steps that a file lacks all views are made anew; an empty step says that they alone have changed.
    static let migrations: [String] = [tables, folders, "", replaced, "", "", "", "", ""]

    /// Where a run writes, relative to the registry's folder where it lies inside: who holds a folder's lock knows who
    /// else is not at work there.
    private static let folders = """
        ALTER TABLE runs ADD COLUMN folder TEXT;
        CREATE INDEX runs_by_folder ON runs(folder);
        """

    /// What was called `sites`: the attentions that are replaced, and the points that a capture recorded.
    private static let replaced = """
        UPDATE params
        SET key = CASE (SELECT stage FROM runs WHERE id = run) WHEN 'capture' THEN 'points' ELSE 'replaced' END
        WHERE key = 'sites';
        """

    /// Times are UTC text, `2025-01-31T12:00:00.000Z`, which `julianday()` understands. JSON is checked when it is
    /// written.
    private static let tables = """
        CREATE TABLE runs (
          id             INTEGER PRIMARY KEY,
          name           TEXT NOT NULL,           -- the run's folder
          stage          TEXT NOT NULL,
          spec           TEXT,                    -- alr-m.encoder.3, or NULL
          status         TEXT NOT NULL CHECK (status IN ('running', 'finished', 'failed', 'interrupted', 'lost')),
          key_hash       TEXT NOT NULL CHECK (length(key_hash) = 64),
          config         TEXT NOT NULL CHECK (json_valid(config)),
          argv           TEXT NOT NULL CHECK (json_valid(argv)),
          version        TEXT NOT NULL,
          git_commit     TEXT,
          git_dirty      INTEGER CHECK (git_dirty IN (0, 1)),
          seed           INTEGER,
          threads        INTEGER NOT NULL CHECK (threads > 0),
          blas           TEXT NOT NULL,
          cpu            TEXT NOT NULL,
          host           TEXT NOT NULL,
          pid            INTEGER NOT NULL,
          boot_id        TEXT NOT NULL,
          started        TEXT NOT NULL,
          heartbeat      TEXT NOT NULL,
          ended          TEXT,
          exit_code      INTEGER,
          error          TEXT,
          resumed_from   INTEGER REFERENCES runs(id),
          wall_seconds   REAL,
          cpu_seconds    REAL,
          peak_rss_bytes INTEGER
        ) STRICT;
        CREATE INDEX runs_by_key ON runs(key_hash);
        CREATE INDEX runs_by_status ON runs(status);

        CREATE TABLE params (
          run   INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
          key   TEXT NOT NULL,
          value TEXT NOT NULL,
          PRIMARY KEY (run, key)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE metrics (
          run   INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
          key   TEXT NOT NULL,
          step  INTEGER NOT NULL,
          value REAL,                             -- NULL: not a number
          time  TEXT NOT NULL,
          PRIMARY KEY (run, key, step)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE artifacts (
          sha256 TEXT PRIMARY KEY CHECK (length(sha256) = 64),
          bytes  INTEGER NOT NULL CHECK (bytes >= 0),
          kind   TEXT NOT NULL                    -- the stage that makes such a folder, or 'file'
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE artifact_paths (
          path     TEXT NOT NULL,                 -- relative to the registry's folder where it lies inside
          artifact TEXT NOT NULL REFERENCES artifacts(sha256),
          seen     TEXT NOT NULL,
          removed  TEXT,                          -- since when it is known to be deleted or replaced
          PRIMARY KEY (path, artifact)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX artifact_paths_by_artifact ON artifact_paths(artifact);

        CREATE TABLE run_io (
          run       INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
          direction TEXT NOT NULL CHECK (direction IN ('in', 'out')),
          role      TEXT NOT NULL,
          artifact  TEXT NOT NULL REFERENCES artifacts(sha256),
          PRIMARY KEY (run, direction, role, artifact)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX run_io_by_artifact ON run_io(artifact, direction);

        CREATE TABLE scores (
          run              INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
          metric           TEXT NOT NULL,         -- BLEU, chrF2, paper-compat
          test_set         TEXT NOT NULL,
          score            REAL NOT NULL,
          signature        TEXT NOT NULL DEFAULT '',
          brevity_penalty  REAL,
          system_length    INTEGER,
          reference_length INTEGER,
          precisions       TEXT CHECK (precisions IS NULL OR json_valid(precisions)),
          confidence       REAL,                  -- half the width of the 95 % interval
          PRIMARY KEY (run, metric, test_set, signature)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE significance (
          run      INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
          base_run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
          metric   TEXT NOT NULL,
          test_set TEXT NOT NULL,
          method   TEXT NOT NULL,                 -- paired-bs, paired-ar
          trials   INTEGER NOT NULL CHECK (trials > 0),
          seed     INTEGER NOT NULL,
          p        REAL NOT NULL CHECK (p BETWEEN 0 AND 1),
          PRIMARY KEY (run, base_run, metric, test_set, method, trials, seed)
        ) STRICT, WITHOUT ROWID;
        """
}
