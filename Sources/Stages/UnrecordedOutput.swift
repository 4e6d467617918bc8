import Tensors

/// A folder made by a program that reads what runs have left and is no run itself: whole or absent like every other,
/// and not in the history.
package enum UnrecordedOutput {
    /// Takes the folder for itself, has `fill` write files to it, and publishes them.
    package static func publish(
        _ output: String, stage: String, configuration: some Codable, fill: (OutputFolder) throws -> Void
    ) throws {
        try OutputPlace.check(output, stage: stage, inputs: [])
        let lock = try FolderLock(output, stage: stage)
        defer { withExtendedLifetime(lock) {} }
        let folder = try OutputFolder(output)
        try folder.clearUnfinished()
        do {
            try fill(folder)
            try folder.publish(stage: stage, configuration: configuration)
        } catch {
            if !folder.isBeingPublished { try? FileSystem.removeFolder(folder.unfinished) }
            throw error
        }
    }
}
