import Foundation

/// What is known of a run when it starts: one row of `runs`.
public struct RunDescription: Sendable {
    public var name: String
    public var stage: String
    public var spec: String?
    /// Where it writes, from the root; nil for what has no folder of its own.
    public var folder: String?
    public var keyHash: String
    /// JSON text.
    public var configuration: String
    public var arguments: [String]
    public var version: String
    public var git: GitState?
    public var seed: UInt64?
    public var threads: Int
    public var machine: Machine

    public init(
        name: String, stage: String, spec: String?, folder: String? = nil, keyHash: String, configuration: String,
        arguments: [String],
        version: String, git: GitState?, seed: UInt64?, threads: Int, machine: Machine
    ) {
        self.name = name
        self.stage = stage
        self.spec = spec
        self.folder = folder
        self.keyHash = keyHash
        self.configuration = configuration
        self.arguments = arguments
        self.version = version
        self.git = git
        self.seed = seed
        self.threads = threads
        self.machine = machine
    }
}

/// The commit of the checkout a run was started in.
public struct GitState: Equatable, Sendable {
    public let commit: String
    /// Tracked files differ from the commit.
    public let isDirty: Bool

    public init(commit: String, isDirty: Bool) {
        self.commit = commit
        self.isDirty = isDirty
    }
}

/// Where a process runs. The boot id tells whether a recorded pid can still mean the same process.
public struct Machine: Equatable, Sendable {
    public var host: String
    public var bootID: String
    public var pid: Int32
    public var blas: String
    public var cpu: String

    public init(host: String, bootID: String, pid: Int32, blas: String, cpu: String) {
        self.host = host
        self.bootID = bootID
        self.pid = pid
        self.blas = blas
        self.cpu = cpu
    }
}

/// How a run ended, and what it used.
public struct RunEnding: Sendable {
    public enum Status: String, Sendable { case finished, failed, interrupted }

    public var status: Status
    public var exitCode: Int32
    public var error: String?
    public var wallSeconds: Double
    public var cpuSeconds: Double
    public var peakResidentBytes: Int

    public init(
        status: Status, exitCode: Int32, error: String? = nil, wallSeconds: Double, cpuSeconds: Double,
        peakResidentBytes: Int
    ) {
        self.status = status
        self.exitCode = exitCode
        self.error = error
        self.wallSeconds = wallSeconds
        self.cpuSeconds = cpuSeconds
        self.peakResidentBytes = peakResidentBytes
    }
}

/// A file or folder by its content: a folder is named by the SHA-256 of its `manifest.json`.
public struct Artifact: Equatable, Sendable {
    public var sha256: String
    public var bytes: Int
    /// The stage that makes such a folder, or `file`.
    public var kind: String
    public var path: String

    public init(sha256: String, bytes: Int, kind: String, path: String) {
        self.sha256 = sha256
        self.bytes = bytes
        self.kind = kind
        self.path = path
    }
}

/// A score of one test set, with the numbers it was computed from.
public struct Score: Sendable {
    /// `BLEU`, `chrF2` or `paper-compat`: the names that the leaderboard looks for.
    public var metric: String
    public var testSet: String
    public var value: Double
    public var signature: String
    public var brevityPenalty: Double?
    public var systemLength: Int?
    public var referenceLength: Int?
    public var precisions: [Double]?
    /// Half the width of the 95 % interval.
    public var confidence: Double?

    public init(
        metric: String, testSet: String, value: Double, signature: String = "", brevityPenalty: Double? = nil,
        systemLength: Int? = nil, referenceLength: Int? = nil, precisions: [Double]? = nil, confidence: Double? = nil
    ) {
        self.metric = metric
        self.testSet = testSet
        self.value = value
        self.signature = signature
        self.brevityPenalty = brevityPenalty
        self.systemLength = systemLength
        self.referenceLength = referenceLength
        self.precisions = precisions
        self.confidence = confidence
    }
}

/// A paired test of one metric against the run that made the artifact `base`.
public struct Significance: Sendable {
    public var base: String
    public var metric: String
    public var testSet: String
    public var method: String
    public var trials: Int
    public var seed: UInt64
    public var p: Double

    public init(base: String, metric: String, testSet: String, method: String, trials: Int, seed: UInt64, p: Double) {
        self.base = base
        self.metric = metric
        self.testSet = testSet
        self.method = method
        self.trials = trials
        self.seed = seed
        self.p = p
    }
}
