/// The common questions, each answered by one `select * from VIEW`.
enum Views {
    /// Makes all of them, in the place of those that an earlier release made.
    static let make = [
        ("leaderboard", leaderboard), ("lineage", lineage), ("running", running), ("not_reproducible", notReproducible),
        ("cost", cost), ("reclaimable", reclaimable()),
    ].map { name, query in "DROP VIEW IF EXISTS \(name);\nCREATE VIEW \(name) AS\n\(query)" }.joined(separator: "\n")

    /// One row for each scored model, test set and way of searching (beam, precision): its finished score that started
    /// last, by test set and its text (of one name there may be several: the one scored last comes first), best BLEU
    /// first.
    ///
    /// `difference` is against `base`, the score run whose folder this run read in that role, the newest where several
    /// made the same bytes; it is of the same text, whatever its corpus is called there. `p` belongs to the comparison
    /// with any of them. `outdated` is 1 where the model behind `base`, or behind a score without one, has been made
    /// anew since, by whose scores this one cannot be judged. `replaced`, `parameters` and `search` are params of the
    /// score run, `tokens_per_second` is its metric.
    private static let leaderboard = """
        WITH
        ranked AS (
          SELECT runs.id, runs.name, runs.stage, runs.spec, runs.started, params.value AS search, scores.test_set,
                 scores.score, scores.signature, scores.confidence, texts.value AS test_text,
                 rank() OVER (
                   PARTITION BY runs.name, runs.spec, scores.test_set, params.value
                   ORDER BY runs.started DESC, runs.id DESC) AS age
          FROM runs JOIN scores ON scores.run = runs.id AND scores.metric = 'BLEU'
            LEFT JOIN params ON params.run = runs.id AND params.key = 'search'
            LEFT JOIN params texts ON texts.run = runs.id AND texts.key = 'test_text'
          WHERE runs.status = 'finished'
        ),
        latest AS (SELECT * FROM ranked WHERE age = 1),
        bases AS (
          SELECT used.run AS score, made.run AS base,
                 row_number() OVER (PARTITION BY used.run ORDER BY maker.started DESC, maker.id DESC) AS age
          FROM run_io used
            JOIN run_io made ON made.artifact = used.artifact AND made.direction = 'out'
            JOIN runs maker ON maker.id = made.run
          WHERE used.direction = 'in' AND used.role = 'base'
        ),
        replaced AS (
          SELECT gone.artifact
          FROM artifact_paths now CROSS JOIN artifact_paths gone ON gone.path = now.path
            JOIN artifacts new ON new.sha256 = now.artifact
            JOIN artifacts old ON old.sha256 = gone.artifact AND old.kind = new.kind
          WHERE now.removed IS NULL AND gone.removed IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM artifact_paths other
                            WHERE other.artifact = gone.artifact AND other.removed IS NULL)
        ),
        compared AS (
          SELECT latest.*, bases.base, max(latest.started) OVER (PARTITION BY test_set, test_text) AS text_scored
          FROM latest LEFT JOIN bases ON bases.score = latest.id AND bases.age = 1
        )
        SELECT
          name || '/' || coalesce(spec, stage) AS model,
          search,
          CAST((SELECT value FROM params WHERE run = id AND key = 'replaced') AS INTEGER) AS replaced,
          CAST((SELECT value FROM params WHERE run = id AND key = 'parameters') AS INTEGER) AS parameters,
          round(score, 2) AS BLEU,
          round(confidence, 2) AS confidence,
          round(score - (SELECT max(score) FROM scores other
                         WHERE other.run = base AND other.metric = 'BLEU'), 2) AS difference,
          (SELECT round(p, CASE WHEN p < 0.0005 THEN 6 ELSE 3 END) FROM significance
           WHERE significance.run = id AND metric = 'BLEU'
             AND base_run IN (SELECT bases.base FROM bases WHERE score = compared.id)
             AND significance.test_set = compared.test_set ORDER BY trials DESC, method LIMIT 1) AS p,
          round((SELECT value FROM metrics WHERE run = id AND key = 'tokens_per_second'
                 ORDER BY step DESC LIMIT 1)) AS tokens_per_second,
          round((SELECT max(score) FROM scores other
                 WHERE other.run = id AND other.metric = 'chrF2' AND other.test_set = compared.test_set), 2) AS chrF2,
          round((SELECT max(score) FROM scores other
                 WHERE other.run = id AND other.metric = 'paper-compat'), 4) AS paper_compat,
          test_set,
          signature,
          id AS run,
          base,
          test_text,
          EXISTS (SELECT 1 FROM run_io used
                  WHERE used.run = coalesce(base, id) AND used.direction = 'in' AND used.role = 'model'
                    AND +used.artifact IN (SELECT artifact FROM replaced)) AS outdated
        FROM compared
        ORDER BY test_set, text_scored DESC, test_text, score DESC, id;
        """

    /// What each run read and the run that made it; NULL for a raw file. Where several made the same bytes, the last
    /// that started before the reader, if there is one: a capture that went may have been made again since. The common
    /// table of all that ask where something came from.
    static let edge = """
        edge(run, role, artifact, source) AS (
          SELECT used.run, used.role, used.artifact,
                 coalesce(\(maker("AND (maker.started, maker.id) < (reader.started, reader.id)")), \(maker("")))
          FROM run_io used JOIN runs reader ON reader.id = used.run WHERE used.direction = 'in'
        )
        """

    private static func maker(_ condition: String) -> String {
        """
        (SELECT made.run FROM run_io made JOIN runs maker ON maker.id = made.run
         WHERE made.artifact = used.artifact AND made.direction = 'out' AND made.run <> used.run \(condition)
         ORDER BY maker.started DESC, maker.id DESC LIMIT 1)
        """
    }

    /// Where an artifact is, or was last seen.
    static func lastPlace(of artifact: String) -> String {
        """
        (SELECT path FROM artifact_paths WHERE artifact_paths.artifact = \(artifact)
         ORDER BY removed IS NOT NULL, seen DESC, path LIMIT 1)
        """
    }

    /// The runs behind each of `runs` (a query for their ids), itself among them, with all depths at which they are
    /// met; of what a score was compared with, nothing. Needs `edge`. The limit is more than any chain of stages has:
    /// runs that read what one another made would lead on for ever.
    static func behind(_ runs: String) -> String {
        """
        behind(run, depth, reader) AS (
          SELECT id, 1, id FROM (\(runs))
          UNION
          SELECT behind.run, behind.depth + 1, edge.source
          FROM behind JOIN edge ON edge.run = behind.reader
          WHERE edge.source IS NOT NULL AND edge.role <> 'base' AND behind.depth < 400
        )
        """
    }

    /// Everything a run came from, each once: `select * from lineage where run = 17`. `depth` 1 is what it read itself,
    /// and what `reader` read stands at the smallest depth at which that run is met. What a score was compared with is
    /// named, and nothing behind it.
    private static let lineage = """
        WITH RECURSIVE
        \(edge),
        \(behind("SELECT id FROM runs")),
        nearest(run, depth, reader) AS (SELECT run, min(depth), reader FROM behind GROUP BY run, reader)
        SELECT nearest.run, nearest.depth, nearest.reader, edge.role, artifacts.kind, runs.stage, runs.spec,
               edge.source, edge.artifact,
               \(lastPlace(of: "edge.artifact")) AS path
        FROM nearest
        JOIN edge ON edge.run = nearest.reader
        JOIN artifacts ON artifacts.sha256 = edge.artifact
        LEFT JOIN runs ON runs.id = edge.source
        ORDER BY nearest.run, nearest.depth, edge.role, edge.artifact;
        """

    /// What is at work, for how long, and when it was last heard of.
    private static let running = """
        SELECT id, name, stage, spec, host, pid, threads, started,
               CAST(round((julianday('now') - julianday(started)) * 86400) AS INTEGER) AS seconds,
               CAST(round((julianday('now') - julianday(heartbeat)) * 86400) AS INTEGER) AS silent_seconds,
               (SELECT max(step) FROM metrics WHERE run = id) AS step
        FROM runs WHERE status = 'running'
        ORDER BY started, id;
        """

    /// The same stage, version, configuration and inputs, and yet different bytes.
    private static let notReproducible = """
        SELECT runs.key_hash, runs.stage, min(runs.name) AS name, runs.spec, run_io.role,
               count(DISTINCT run_io.artifact) AS outputs,
               group_concat(runs.id, ' ') AS runs
        FROM runs JOIN run_io ON run_io.run = runs.id AND run_io.direction = 'out'
        WHERE runs.status = 'finished'
        GROUP BY runs.key_hash, run_io.role
        HAVING count(DISTINCT run_io.artifact) > 1
        ORDER BY max(runs.id) DESC;
        """

    /// Seconds that a run took, up to its last sign of life where nobody saw it end.
    static let seconds =
        "coalesce(wall_seconds, round((julianday(coalesce(ended, heartbeat)) - julianday(started)) * 86400, 3))"

    /// Hours for each stage, of all runs whatever became of them.
    private static let cost = """
        SELECT stage, count(*) AS runs,
               sum(status = 'finished') AS finished,
               round(sum(\(seconds)) / 3600.0, 3) AS hours,
               round(sum(cpu_seconds) / 3600.0, 3) AS cpu_hours,
               round(max(peak_rss_bytes) / 1048576.0) AS peak_mib
        FROM runs GROUP BY stage
        ORDER BY sum(\(seconds)) DESC;
        """

    /// Folders on disk that can be made again and that nobody needs now: captures that a finished run of their own name
    /// has read, that nobody is reading, and while no run of their name is at work, since others may follow it that
    /// read them too. A run of their name that has failed or was stopped may go on, unless a later one of its folder or
    /// key has finished.
    ///
    /// - Parameter mayGoOn: what holds besides of runs that have not finished and may go on
    static func reclaimable(_ mayGoOn: String = "true") -> String {
        """
        SELECT artifact_paths.path, artifacts.kind, artifacts.bytes, round(artifacts.bytes / 1048576.0, 1) AS mib,
               sum(runs.status = 'finished'
                   AND substr(artifact_paths.path, 1, length(runs.name) + 1) = runs.name || '/') AS readers
        FROM artifact_paths
        JOIN artifacts ON artifacts.sha256 = artifact_paths.artifact AND artifacts.kind = 'capture'
        JOIN run_io ON run_io.artifact = artifacts.sha256 AND run_io.direction = 'in'
        JOIN runs ON runs.id = run_io.run
        WHERE artifact_paths.removed IS NULL
        GROUP BY artifact_paths.path, artifact_paths.artifact
        HAVING sum(runs.status = 'running') = 0 AND readers > 0
          AND NOT EXISTS (SELECT 1 FROM runs live WHERE live.status = 'running'
            AND substr(artifact_paths.path, 1, length(live.name) + 1) = live.name || '/')
          AND sum(runs.status <> 'finished' AND \(mayGoOn)
            AND substr(artifact_paths.path, 1, length(runs.name) + 1) = runs.name || '/'
            AND NOT EXISTS (SELECT 1 FROM runs later
                            WHERE (later.folder = runs.folder OR later.key_hash = runs.key_hash)
                              AND (+later.started, +later.id) > (runs.started, runs.id)
                              AND +later.status = 'finished')) = 0
        ORDER BY artifacts.bytes DESC, artifact_paths.path;
        """
    }
}
