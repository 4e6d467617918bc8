import Foundation

/// Paths as text. Nothing is expanded, `~` least of all: that is the shell's part, and a program that does it in one
/// place and not in another writes to two.
package enum FilePath {
    package static func join(_ folder: String, _ name: String) -> String {
        folder.isEmpty ? name : folder.hasSuffix("/") ? folder + name : folder + "/" + name
    }

    /// From the root, without `.`, `..` and doubled slashes. Links are followed where `..` leads out of one: that is
    /// where the system goes.
    package static func absolute(_ path: String) -> String {
        let whole = path.hasPrefix("/") ? path : join(workingFolder, path)
        var parts: [String] = []
        for part in whole.split(separator: "/") where part != "." {
            guard part == ".." else {
                parts.append(String(part))
                continue
            }
            if let target = target(ofLink: "/" + parts.joined(separator: "/")) {
                parts = target.split(separator: "/").map(String.init)
            }
            _ = parts.popLast()
        }
        return "/" + parts.joined(separator: "/")
    }

    /// Where a link leads to in the end; nil if it is none, or leads to nothing.
    private static func target(ofLink path: String) -> String? {
        var status = stat(), buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK, realpath(path, &buffer) != nil else {
            return nil
        }
        return String(cString: buffer)
    }

    /// As one word of a shell's command.
    package static func quoted(_ word: String) -> String {
        let plain = word.unicodeScalars.allSatisfy {
            CharacterSet.alphanumerics.contains($0) || "-_./+=:,@%".unicodeScalars.contains($0)
        }
        return plain && !word.isEmpty ? word : "'" + word.replacingOccurrences(of: "'", with: "'\\''") + "'"
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
