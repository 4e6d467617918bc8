import Foundation

/// A safetensors file, mapped into memory read-only; every length and offset is checked before first use.
///
/// Views are valid while the object lives. Reading a view from several threads is safe.
package final class TensorFile: @unchecked Sendable {
    package let path: String
    /// In the order of the data.
    package let tensors: [TensorInfo]
    package let metadata: [String: String]

    private let mapping: UnsafeRawBufferPointer
    /// All of the file.
    var content: UnsafeRawBufferPointer { mapping }
    package var bytes: Int { mapping.count }
    /// Bytes before the first tensor.
    var dataStart: Int { mapping.count - data.count }
    private let data: UnsafeRawBufferPointer
    private let index: [String: Int]

    package init(path: String) throws {
        self.path = path
        let mapping = try Self.map(path)
        self.mapping = mapping
        do {
            let end = try Self.headerEnd(of: mapping, path: path)
            data = UnsafeRawBufferPointer(rebasing: mapping[end...])
            let parsed = try TensorHeader(json: Data(mapping[8..<end]), dataBytes: data.count, path: path)
            tensors = parsed.tensors
            metadata = parsed.metadata
        } catch {
            Self.unmap(mapping)
            throw error
        }
        index = Dictionary(uniqueKeysWithValues: tensors.enumerated().map { ($1.name, $0) })
    }

    deinit { Self.unmap(mapping) }

    package func contains(_ name: String) -> Bool { index[name] != nil }

    package func info(_ name: String) throws -> TensorInfo {
        guard let position = index[name] else {
            let held = tensors.prefix(8).map(\.name).joined(separator: ", ") + (tensors.count > 8 ? ", …" : "")
            throw DataError(path: path, expected: "a tensor '\(name)'", found: held.isEmpty ? "none" : held)
        }
        return tensors[position]
    }

    /// The tensor's bytes in the mapping. Files of `TensorFileWriter` start each tensor on a multiple of its element,
    /// the first on a multiple of 64.
    package func bytes(_ name: String) throws -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: data[try info(name).bytes])
    }

    /// The tensor in place, without conversion: its type must be that of `Element`, its start aligned.
    package func view<Element: TensorElement>(
        _ name: String, as type: Element.Type
    ) throws -> UnsafeBufferPointer<Element> {
        let info = try info(name)
        let bytes = try bytes(name)
        guard info.type == Element.elementType else {
            throw DataError(
                path: path, expected: "\(Element.elementType.rawValue) in '\(name)'", found: info.type.rawValue)
        }
        guard Int(bitPattern: bytes.baseAddress) % info.type.bytes == 0 else {
            throw DataError(
                path: path, expected: "'\(name)' on a multiple of its element", found: "offset \(info.bytes.lowerBound)"
            )
        }
        return bytes.bindMemory(to: Element.self)
    }

    /// A copy as `Float`: F32, or F16 widened.
    package func floats(_ name: String) throws -> [Float] {
        let info = try info(name)
        let bytes = try bytes(name)
        switch info.type {
        case .f32: return Self.copy(bytes, as: Float.self)
        case .f16: return Self.copy(bytes, as: Float16.self).map(Float.init)
        default: throw DataError(path: path, expected: "F32 or F16 in '\(name)'", found: info.type.rawValue)
        }
    }

    /// A copy as `Int`: any integer type widened.
    package func integers(_ name: String) throws -> [Int] {
        let info = try info(name)
        let bytes = try bytes(name)
        switch info.type {
        case .u8: return bytes.map(Int.init)
        case .u16: return Self.copy(bytes, as: UInt16.self).map(Int.init)
        case .i32: return Self.copy(bytes, as: Int32.self).map(Int.init)
        case .i64: return Self.copy(bytes, as: Int.self)
        default: throw DataError(path: path, expected: "integers in '\(name)'", found: info.type.rawValue)
        }
    }

    /// Lets the system take back the pages that were read; the next read brings them in again. A stage that streams
    /// over a large file calls this now and then, so that its resident memory does not grow with the file.
    ///
    /// - Parameter loop: over parts of the file, each of which is released by itself
    package func releasePages(_ loop: BlockHashes.Loop = BlockHashes.serial) {
        guard let base = mapping.baseAddress else { return }
        loop((mapping.count + Self.releasedBytes - 1) / Self.releasedBytes) { part in
            let first = part * Self.releasedBytes
            madvise(
                UnsafeMutableRawPointer(mutating: base + first), min(Self.releasedBytes, mapping.count - first),
                Int32(MADV_DONTNEED))
        }
    }

    /// By one call: a multiple of a page.
    private static let releasedBytes = 1 << 22
}

// MARK: - Mapping

extension TensorFile {
    private static func map(_ path: String) throws -> UnsafeRawBufferPointer {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw DataError.reading(path) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw DataError.reading(path) }
        let size = Int(status.st_size)
        guard status.st_mode & S_IFMT == S_IFREG, size >= 8 else {
            let found = status.st_mode & S_IFMT == S_IFREG ? "\(size) bytes" : "no regular file"
            throw DataError(path: path, expected: "a safetensors file", found: found)
        }
        guard let base = mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0), base != MAP_FAILED else {
            throw DataError.reading(path)
        }
        return UnsafeRawBufferPointer(start: base, count: size)
    }

    private static func unmap(_ mapping: UnsafeRawBufferPointer) {
        munmap(UnsafeMutableRawPointer(mutating: mapping.baseAddress!), mapping.count)
    }

    private static func headerEnd(of mapping: UnsafeRawBufferPointer, path: String) throws -> Int {
        let length = UInt64(littleEndian: mapping.loadUnaligned(as: UInt64.self))
        let room = min(mapping.count - 8, TensorHeader.longest)
        guard length <= UInt64(room) else {
            throw DataError(
                path: path, expected: "a safetensors header of at most \(room) bytes", found: "\(length)",
                hint: "the file is cut short or is no safetensors file")
        }
        return 8 + Int(length)
    }

    private static func copy<Element: BitwiseCopyable>(_ bytes: UnsafeRawBufferPointer, as: Element.Type) -> [Element] {
        let count = bytes.count / MemoryLayout<Element>.stride
        return Array(unsafeUninitializedCapacity: count) { buffer, filled in
            if count > 0 { memcpy(buffer.baseAddress!, bytes.baseAddress!, bytes.count) }
            filled = count
        }
    }
}
