import Foundation

/// Writes a safetensors file whose tensors and shapes are known beforehand, piece by piece and in any order.
///
/// The bytes go to `<path>.partial`, whose full size is reserved at the start, so that a full disk is noticed before
/// the work and not after it. `finish` makes the file appear under its name; a writer that is let go before that
/// leaves nothing behind. `write` may be called from several threads.
public final class TensorFileWriter: @unchecked Sendable {
    public let path: String
    private let partial: String
    private let descriptor: Int32
    private let dataStart: Int
    private let infos: [String: TensorInfo]
    private let lock = NSLock()
    private var unwritten: Int
    private var open = true

    public init(
        path: String, tensors: [(name: String, type: ElementType, shape: [Int])], metadata: [String: String] = [:]
    ) throws {
        let header = TensorHeader(laidOut: tensors, metadata: metadata)
        let encoded = try header.encoded()
        let size = encoded.count + (header.tensors.last?.bytes.upperBound ?? 0)
        self.path = path
        partial = path + ".partial"
        dataStart = encoded.count
        infos = Dictionary(uniqueKeysWithValues: header.tensors.map { ($0.name, $0) })
        unwritten = size - encoded.count
        descriptor = try FileSystem.create(partial)
        do {
            try FileSystem.reserve(size, descriptor, path: partial)
            try encoded.withUnsafeBytes { try FileSystem.write($0, descriptor, at: 0, path: partial) }
        } catch {
            abandon()
            throw error
        }
    }

    deinit { if open { abandon() } }

    /// Puts bytes of whole elements into a tensor, starting with element `element`. Each element is written once.
    public func write(_ name: String, at element: Int = 0, _ bytes: UnsafeRawBufferPointer) throws {
        guard let info = infos[name] else {
            throw DataError(path: path, expected: "a tensor among \(infos.keys.sorted())", found: "'\(name)'")
        }
        let start = element * info.type.bytes
        guard element >= 0, bytes.count % info.type.bytes == 0, start + bytes.count <= info.bytes.count else {
            throw DataError(
                path: path, expected: "a part of '\(name)' \(info.shape)",
                found: "\(bytes.count) bytes from element \(element)")
        }
        try FileSystem.write(bytes, descriptor, at: dataStart + info.bytes.lowerBound + start, path: partial)
        lock.withLock { unwritten -= bytes.count }
    }

    public func write<Element: TensorElement>(_ name: String, at element: Int = 0, _ values: [Element]) throws {
        guard infos[name].map({ $0.type == Element.elementType }) ?? true else {
            throw DataError(
                path: path, expected: "\(infos[name]!.type.rawValue) for '\(name)'", found: Element.elementType.rawValue
            )
        }
        try values.withUnsafeBytes { try write(name, at: element, $0) }
    }

    /// Makes the file durable and gives it its name.
    public func finish() throws {
        let missing = lock.withLock { unwritten }
        guard missing == 0 else {
            throw DataError(
                path: path, expected: "every element written once", found: "\(missing) bytes less", kind: .io)
        }
        guard fsync(descriptor) == 0 else { throw DataError.writing(partial) }
        try FileSystem.rename(partial, to: path)
        open = false
        close(descriptor)
    }

    private func abandon() {
        open = false
        close(descriptor)
        unlink(partial)
    }
}
