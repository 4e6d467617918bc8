import Foundation

/// Paths as text. Nothing is expanded, `~` least of all: that is the shell's part, and a program that does it in one
/// place and not in another writes to two.
package enum FilePath {
    package static func join(_ folder: String, _ name: String) -> String {
        folder.isEmpty ? name : folder.hasSuffix("/") ? folder + name : folder + "/" + name
    }

    /// From the root, without `.`, `..` and doubled slashes; links are not followed.
    package static func absolute(_ path: String) -> String {
        let whole = path.hasPrefix("/") ? path : join(workingFolder, path)
        var parts: [Substring] = []
        for part in whole.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// The same with links followed as far as the path exists, so that two names of one folder compare equal.
    package static func resolved(_ path: String) -> String {
        let whole = absolute(path)
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        if realpath(whole, &buffer) != nil { return String(cString: buffer) }
        return whole == "/" ? whole : join(resolved(parent(whole)), name(whole))
    }

    /// Whether the two are one, or the first lies within the second.
    package static func lies(_ path: String, in folder: String) -> Bool {
        let (path, folder) = (resolved(path), resolved(folder))
        return path == folder || path.hasPrefix(folder == "/" ? folder : folder + "/")
    }

    package static func parent(_ path: String) -> String {
        let whole = absolute(path)
        guard let slash = whole.lastIndex(of: "/"), slash != whole.startIndex else { return "/" }
        return String(whole[..<slash])
    }

    package static func name(_ path: String) -> String {
        absolute(path).split(separator: "/").last.map(String.init) ?? "/"
    }

    /// As people read it: relative to the working folder, if it lies in it.
    package static func shown(_ path: String) -> String {
        let whole = absolute(path), here = workingFolder
        return here != "/" && whole.hasPrefix(here + "/") ? String(whole.dropFirst(here.count + 1)) : whole
    }

    private static var workingFolder: String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        return getcwd(&buffer, buffer.count) == nil ? "/" : String(cString: buffer)
    }
}
