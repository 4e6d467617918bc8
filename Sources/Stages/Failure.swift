import ArgumentParser
import Foundation
import Models
import Registry
import Tensors
import Training

/// An error that knows its exit code (of `sysexits.h`) and, perhaps, what mends it.
package protocol StageError: Error {
    var exitCode: Int32 { get }
    var hint: String? { get }
}

extension StageError {
    package var hint: String? { nil }
}

extension DataError: StageError {}
extension RegistryError: StageError {}
extension FolderLock.Held: StageError {}

extension Interruption: StageError {
    package var hint: String? {
        keepsWork ? "start the same command again to go on" : "start the same command again; it begins anew"
    }
}

extension SpecError: StageError {
    package var exitCode: Int32 { EX_USAGE }
}

extension Spec {
    /// For the `validate` of a command, whose errors the parser words itself: others it would wrap beyond recognition.
    package init(typed text: String) throws {
        do { try self.init(parsing: text) } catch { throw ValidationError("\(error)") }
    }

    /// Whether these specs, joined by `+`, can stand in one model.
    package static func check(typed text: String) throws {
        let specs = try text.split(separator: "+", omittingEmptySubsequences: false).map { try Spec(typed: String($0)) }
        do { try Replacements.requirePlaces(of: specs) } catch { throw ValidationError("\(error)") }
    }
}

extension DivergedError: StageError {
    package var exitCode: Int32 { EX_DATAERR }
    package var hint: String? { "try a lower --peak or a longer --warmup, with --discard-checkpoint" }
}

/// What an error looks like to the user: one line that says what was expected and found, perhaps one that mends it, and
/// an exit code.
///
/// | code | meaning |
/// |---|---|
/// | 64 | what was typed is wrong |
/// | 65, 66 | bad data, missing input |
/// | 70 | an error of the program itself |
/// | 71 | the system would not give memory, threads or descriptors |
/// | 73, 74 | cannot write; input/output error or no space |
/// | 75 | locked by another process: try again later |
/// | 128 + n | stopped by signal n; `train` and `distill` have written a checkpoint |
struct Failure: Codable {
    let message: String
    let hint: String?
    let exitCode: Int32

    /// Nil for the errors that ArgumentParser words itself: usage, help, version.
    init?(_ error: Error) {
        switch error {
        case let error as StageError: self.init("\(error)", hint: error.hint, error.exitCode)
        default:
            guard Self.parserExitCode(error) == nil else { return nil }
            self.init(ofSystem: error)
        }
    }

    /// What a library throws: Foundation's errors hide the system's, which says more.
    private init(ofSystem error: Error) {
        guard let cocoa = error as? CocoaError else {
            self.init(Excerpt.line("\(error)", most: 400), hint: nil, EX_SOFTWARE)
            return
        }
        let path = cocoa.filePath ?? "a file"
        guard let code = (cocoa.underlying as? POSIXError)?.code.rawValue ?? cocoa.nearestCode else {
            self.init("\(path): \(Excerpt.line(cocoa.localizedDescription))", hint: nil, EX_IOERR)
            return
        }
        let error = cocoa.isOfWriting ? DataError.writing(path, code: code) : DataError.reading(path, code: code)
        self.init("\(error)", hint: error.hint, error.exitCode)
    }

    /// In plain words also where ArgumentParser has its own.
    static func inWords(_ error: Error) -> Failure {
        Failure(error) ?? Failure("\(error)", hint: nil, exitCode(of: error))
    }

    static func exitCode(of error: Error) -> Int32 { Failure(error)?.exitCode ?? parserExitCode(error) ?? EX_SOFTWARE }

    /// ArgumentParser gives 1 to every error that it does not know.
    private static func parserExitCode(_ error: Error) -> Int32? {
        if let code = error as? ExitCode { return code.rawValue }
        let code = StageOptions.exitCode(for: error)
        return code == .failure ? nil : code.rawValue
    }

    private init(_ message: String, hint: String?, _ exitCode: Int32) {
        self.message = message
        self.hint = hint
        self.exitCode = exitCode
    }

    func lines(program: String) -> [String] {
        ["\(program): \(message)"] + (hint.map { ["hint: \($0)"] } ?? [])
    }
}

extension CocoaError {
    fileprivate var isOfWriting: Bool { (512..<640).contains(code.rawValue) }

    fileprivate var nearestCode: Int32? {
        switch code {
        case .fileNoSuchFile, .fileReadNoSuchFile: ENOENT
        case .fileReadNoPermission, .fileWriteNoPermission: EACCES
        case .fileWriteOutOfSpace: ENOSPC
        case .fileWriteVolumeReadOnly: EROFS
        default: nil
        }
    }
}
