import Foundation
import Tensors

/// Whether a stage may write to a folder: one that is new or empty, or that the same stage has made or begun, though
/// its manifest be gone. Any other holds something that somebody wants to keep.
enum OutputPlace {
    /// Looks without touching anything.
    static func check(_ output: String, stage: String, inputs: [StageInput]) throws {
        func refuse(_ found: String, _ hint: String = "name another folder with --output") -> DataError {
            DataError(
                path: output, expected: "a new or empty folder, or one made by \(stage)", found: found, hint: hint,
                kind: .cannotWrite)
        }
        guard !output.isEmpty else { throw refuse("no name") }
        for input in inputs {
            if let path = input.path,
                FilePath.lies(path, in: output) || (FileSystem.isFolder(path) && FilePath.lies(output, in: path))
            {
                throw refuse("what is read as \(input.role), \(path)", "write to another folder than is read")
            }
        }
        var parent = FilePath.parent(output)
        while parent != "/" {
            if let maker = maker(of: parent) { throw refuse("a place within \(parent), made by \(maker)") }
            parent = FilePath.parent(parent)
        }
        guard FileSystem.isFolder(output) else { return }
        if let maker = maker(of: output) ?? UnfinishedWork.stage(in: output) {
            guard maker == stage else { throw refuse("one made by \(maker)") }
            return
        }
        let others = try FileSystem.names(in: output).filter {
            ![FolderLock.name, OutputFolder.unfinishedName, OutputFolder.madeName].contains($0)
        }
        if let first = others.first, FolderLock.stage(in: output) != stage {
            throw refuse(others.count == 1 ? first : "\(first) and \(others.count - 1) more in it")
        }
    }

    private static func maker(of folder: String) -> String? { try? ManifestFile.stage(folder: folder) }
}
