import Tensors

/// Paths as the registry writes them: relative to its own folder where they lie inside, so that a folder of runs can be
/// moved.
enum RegistryPath {
    static func stored(_ path: String, root: String) -> String {
        let full = FilePath.absolute(path)
        return full.hasPrefix(root + "/") ? String(full.dropFirst(root.count + 1)) : full
    }

    static func onDisk(_ stored: String, root: String) -> String {
        stored.hasPrefix("/") ? stored : root + "/" + stored
    }
}
