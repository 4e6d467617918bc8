import Foundation
import Testing

@testable import Registry

@Suite struct SchemaTests {
    /// People and scripts query these names: a change here needs a new migration step.
    private static let columns = """
        artifact_paths: path TEXT, artifact TEXT, seen TEXT, removed TEXT
        artifacts: sha256 TEXT, bytes INTEGER, kind TEXT
        cost: stage, runs, finished, hours, cpu_hours, peak_mib
        leaderboard: model, search, replaced, parameters, BLEU, confidence, difference, p, tokens_per_second, chrF2, paper_compat, test_set, signature, run, base, test_text, outdated
        lineage: run, depth, reader, role, kind, stage, spec, source, artifact, path
        metrics: run INTEGER, key TEXT, step INTEGER, value REAL, time TEXT
        not_reproducible: key_hash, stage, name, spec, role, outputs, runs
        params: run INTEGER, key TEXT, value TEXT
        reclaimable: path, kind, bytes, mib, readers
        run_io: run INTEGER, direction TEXT, role TEXT, artifact TEXT
        running: id, name, stage, spec, host, pid, threads, started, seconds, silent_seconds, step
        runs: id INTEGER, name TEXT, stage TEXT, spec TEXT, status TEXT, key_hash TEXT, config TEXT, argv TEXT, \
        version TEXT, git_commit TEXT, git_dirty INTEGER, seed INTEGER, threads INTEGER, blas TEXT, cpu TEXT, host \
        TEXT, pid INTEGER, boot_id TEXT, started TEXT, heartbeat TEXT, ended TEXT, exit_code INTEGER, error TEXT, \
        resumed_from INTEGER, wall_seconds REAL, cpu_seconds REAL, peak_rss_bytes INTEGER, folder TEXT
        scores: run INTEGER, metric TEXT, test_set TEXT, score REAL, signature TEXT, brevity_penalty REAL, \
        system_length INTEGER, reference_length INTEGER, precisions TEXT, confidence REAL
        significance: run INTEGER, base_run INTEGER, metric TEXT, test_set TEXT, method TEXT, trials INTEGER, seed INTEGER, p REAL
        """

    @Test func tablesAndViewsHaveTheirColumns() throws {
        let scratch = Scratch()
        let registry = try scratch.open()
        let found = try registry.rows(
            """
            SELECT s.name || ': ' || (SELECT group_concat(c.name || CASE WHEN s.type = 'table' THEN ' ' || c.type ELSE '' END, ', ')
                                      FROM pragma_table_info(s.name) c)
            FROM sqlite_schema s WHERE s.type IN ('table', 'view') ORDER BY s.name
            """)
        #expect(found.map { $0[0]! }.joined(separator: "\n") == Self.columns)
    }

    @Test func fileIsMarkedStrictAndWritesAhead() throws {
        let scratch = Scratch()
        let registry = try scratch.open()
        #expect(try registry.rows("PRAGMA user_version") == [["9"]])
        #expect(try registry.rows("PRAGMA application_id") == [["\(Schema.applicationID)"]])
        #expect(try registry.rows("PRAGMA journal_mode") == [["wal"]])
        #expect(try registry.rows("PRAGMA foreign_keys") == [["1"]])
        #expect(try registry.rows("PRAGMA busy_timeout") == [["20000"]])
        #expect(
            try registry.rows(
                "SELECT count(*) FROM pragma_table_list WHERE type = 'table' AND schema = 'main' AND strict = 0 AND name NOT LIKE 'sqlite_%'"
            ) == [["0"]])
    }

    @Test func everyViewCanBeReadWhenNothingHasRun() throws {
        let scratch = Scratch()
        let registry = try scratch.open()
        let views = try registry.rows("SELECT name FROM sqlite_schema WHERE type = 'view'").map { $0[0]! }
        #expect(views.contains("leaderboard"))
        for view in views { #expect(try registry.rows("SELECT * FROM \(view)") == [], "\(view)") }
    }

    @Test func olderRegistryIsBroughtUpToDate() throws {
        let scratch = Scratch()
        let registry = try scratch.open()
        _ = try registry.write {
            try $0.execute(
                sql:
                    "DROP VIEW reclaimable; CREATE VIEW reclaimable AS SELECT 1; DROP INDEX runs_by_folder; ALTER TABLE runs DROP COLUMN folder; PRAGMA user_version = 1"
            )
        }
        try scratch.open().record(describe("train"))
        let current = try scratch.open()
        #expect(try current.rows("SELECT folder, stage FROM runs") == [[nil, "train"]])
        #expect(try current.rows("SELECT * FROM reclaimable") == [], "the view is today's")
        #expect(try current.rows("SELECT count(*) FROM sqlite_schema WHERE name = 'runs_by_folder'") == [["1"]])
    }

    @Test func whatWasCalledSitesHasItsNameOfToday() throws {
        let scratch = Scratch()
        let registry = try scratch.open()
        let capture = try registry.record(describe("capture")), score = try registry.record(describe("score"))
        _ = try registry.write {
            try $0.execute(
                sql: """
                    INSERT INTO params VALUES (\(capture), 'sites', '6'), (\(score), 'sites', '18');
                    PRAGMA user_version = 3
                    """)
        }
        #expect(
            try scratch.open().rows("SELECT run, key, value FROM params ORDER BY run")
                == [["\(capture)", "points", "6"], ["\(score)", "replaced", "18"]])
    }

    @Test func openingAgainKeepsWhatIsThere() throws {
        let scratch = Scratch()
        try scratch.open().record(describe("train"))
        #expect(try scratch.open().rows("SELECT stage FROM runs") == [["train"]])
    }
}

@Suite struct RefusalTests {
    @Test func newerRegistryIsRefusedAndLeftAlone() throws {
        let scratch = Scratch()
        _ = try scratch.open().write { try $0.execute(sql: "PRAGMA user_version = 99") }
        let error = try #require(throws: RegistryError.self) { try scratch.open() }
        #expect(error.exitCode == 65)
        #expect("\(error)".contains("found version 99, written by a newer program"))
    }

    @Test func impossibleVersionIsDamage() throws {
        let scratch = Scratch()
        _ = try scratch.open().write { try $0.execute(sql: "PRAGMA user_version = -1") }
        let error = try #require(throws: RegistryError.self) { try scratch.open() }
        #expect(error.kind == .damaged && error.exitCode == 65)
    }

    @Test func databaseOfAnotherProgramIsRefusedAndLeftAlone() throws {
        let scratch = Scratch()
        let registry = try scratch.open()
        _ = try registry.write { try $0.execute(sql: "PRAGMA application_id = 5; DROP VIEW cost") }
        let error = try #require(throws: RegistryError.self) { try scratch.open() }
        #expect(error.kind == .foreign)
        #expect(try registry.rows("SELECT count(*) FROM sqlite_schema WHERE name = 'cost'") == [["0"]])
    }

    @Test func damagedFileIsReportedInOneLineAndLeftAlone() throws {
        let scratch = Scratch()
        let junk = Data(repeating: 0x41, count: 8192)
        try junk.write(to: URL(fileURLWithPath: scratch.path))
        let error = try #require(throws: RegistryError.self) { try scratch.open() }
        #expect(error.kind == .damaged)
        #expect(error.exitCode == 65)
        #expect(!"\(error)".contains("\n"))
        #expect(try Data(contentsOf: URL(fileURLWithPath: scratch.path)) == junk)
    }

    @Test func placeThatCannotBeWrittenIsReported() throws {
        let scratch = Scratch()
        try FileManager.default.createDirectory(atPath: scratch.path, withIntermediateDirectories: true)
        let error = try #require(throws: RegistryError.self) { try scratch.open() }
        #expect(error.kind == .cannotWrite)
        #expect(error.exitCode == 73)
    }

    @Test func startSaysWhoLocksItOut() throws {
        let scratch = Scratch()
        let holder = try scratch.open()
        let writer = try scratch.open(timeout: 0.05)
        _ = try holder.write { _ in
            let error = #expect(throws: RegistryError.self) { try writer.record(describe("train")) }
            #expect(error?.kind == .locked)
            #expect(error?.exitCode == 75)
        }
        #expect(try holder.rows("SELECT count(*) FROM runs") == [["0"]])
    }
}
