import Foundation

/// What is known of a run when it starts: one row of `runs`.
package struct RunDescription: Sendable {
    package var name: String
    package var stage: String
    package var spec: String?
    /// Where it writes, from the root; nil for what has no folder of its own.
    package var folder: String?
    package var keyHash: String
    /// JSON text.
    package var configuration: String
    package var arguments: [String]
    package var version: String
    package var git: GitState?
    package var seed: UInt64?
    package var threads: Int
    package var machine: Machine

    package init(
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
package struct GitState: Equatable, Sendable {
    package let commit: String
    /// Tracked files differ from the commit.
    package let isDirty: Bool

    package init(commit: String, isDirty: Bool) {
        self.commit = commit
        self.isDirty = isDirty
    }
}

/// Where a process runs. The boot id tells whether a recorded pid can still mean the same process.
package struct Machine: Equatable, Sendable {
    package var host: String
    package var bootID: String
    package var pid: Int32
    /// The level of x86-64 whose kernels multiply.
    package var blas: String
    package var cpu: String

    package init(host: String, bootID: String, pid: Int32, blas: String, cpu: String) {
        self.host = host
        self.bootID = bootID
        self.pid = pid
        self.blas = blas
        self.cpu = cpu
    }
}

/// How a run ended, and what it used.
package struct RunEnding: Sendable {
    package enum Status: String, Sendable { case finished, failed, interrupted }

    package var status: Status
    package var exitCode: Int32
    package var error: String?
    package var wallSeconds: Double
    package var cpuSeconds: Double
    package var peakResidentBytes: Int

    package init(
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
package struct Artifact: Equatable, Sendable {
    package var sha256: String
    package var bytes: Int
    /// The stage that makes such a folder, or `file`.
    package var kind: String
    /// nil for what has no place, such as standard input.
    package var path: String?

    package init(sha256: String, bytes: Int, kind: String, path: String?) {
        self.sha256 = sha256
        self.bytes = bytes
        self.kind = kind
        self.path = path
    }
}

/// A score of one test set, with the numbers it was computed from.
package struct Score: Sendable {
    /// `BLEU`, `chrF2` or `paper-compat`: the names that the leaderboard looks for.
    package var metric: String
    package var testSet: String
    package var value: Double
    package var signature: String
    package var brevityPenalty: Double?
    package var systemLength: Int?
    package var referenceLength: Int?
    package var precisions: [Double]?
    /// Half the width of the 95 % interval.
    package var confidence: Double?

    package init(
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
package struct Significance: Sendable {
    package var base: String
    package var metric: String
    package var testSet: String
    package var method: String
    package var trials: Int
    package var seed: UInt64
    package var p: Double

    package init(base: String, metric: String, testSet: String, method: String, trials: Int, seed: UInt64, p: Double) {
        self.base = base
        self.metric = metric
        self.testSet = testSet
        self.method = method
        self.trials = trials
        self.seed = seed
        self.p = p
    }
}
