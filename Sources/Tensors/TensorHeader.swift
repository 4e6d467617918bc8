import Foundation

/// The JSON header of a safetensors file.
///
///     8 bytes   length of the header, little-endian
///     header    {"__metadata__": {...}, "name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...}
///     data      the tensors, one after another, without a gap
///
/// The header is padded with spaces so that the data starts on a multiple of 64 bytes.
struct TensorHeader {
    static let alignment = 64
    /// The reference implementation refuses longer headers as well.
    static let longest = 100_000_000

    let tensors: [TensorInfo]
    let metadata: [String: String]

    private struct Entry: Codable {
        let dtype: String
        let shape: [Int]
        let data_offsets: [Int]
    }

    private enum Item: Codable {
        case metadata([String: String])
        case tensor(Entry)

        init(from decoder: Decoder) throws {
            if decoder.codingPath.last?.stringValue == "__metadata__" {
                self = .metadata(try [String: String](from: decoder))
            } else {
                self = .tensor(try Entry(from: decoder))
            }
        }

        func encode(to encoder: Encoder) throws {
            switch self {
            case .metadata(let values): try values.encode(to: encoder)
            case .tensor(let entry): try entry.encode(to: encoder)
            }
        }
    }
}

// MARK: - Writing

extension TensorHeader {
    /// Lays the tensors out, larger element types first, so that each starts on a multiple of its element.
    init(laidOut tensors: [(name: String, type: ElementType, shape: [Int])], metadata: [String: String]) {
        var next = 0
        var infos: [TensorInfo] = []
        let widths = Set(tensors.map(\.type.bytes)).sorted(by: >)
        for tensor in widths.flatMap({ width in tensors.filter { $0.type.bytes == width } }) {
            let size = tensor.shape.reduce(tensor.type.bytes, *)
            infos.append(
                TensorInfo(name: tensor.name, type: tensor.type, shape: tensor.shape, bytes: next..<next + size))
            next += size
        }
        self.init(tensors: infos, metadata: metadata)
    }

    /// Length and padded JSON, as they stand at the start of the file.
    func encoded() throws -> Data {
        var items: [String: Item] = [:]
        if !metadata.isEmpty { items["__metadata__"] = .metadata(metadata) }
        for tensor in tensors {
            let offsets = [tensor.bytes.lowerBound, tensor.bytes.upperBound]
            items[tensor.name] = .tensor(Entry(dtype: tensor.type.rawValue, shape: tensor.shape, data_offsets: offsets))
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var json = try encoder.encode(items)
        let short = (8 + json.count) % Self.alignment
        if short > 0 { json.append(contentsOf: repeatElement(UInt8(ascii: " "), count: Self.alignment - short)) }
        return withUnsafeBytes(of: UInt64(json.count).littleEndian) { Data($0) } + json
    }
}

// MARK: - Reading

extension TensorHeader {
    /// Parses and checks everything that later reads rely on.
    ///
    /// - Parameter dataBytes: what the file holds behind the header.
    init(json: Data, dataBytes: Int, path: String) throws {
        let items = try JSONText.decode(
            [String: Item].self, json, path: path, expected: "a safetensors header in JSON")
        var metadata: [String: String] = [:]
        var infos: [TensorInfo] = []
        for (name, item) in items {
            switch item {
            case .metadata(let values): metadata = values
            case .tensor(let entry): infos.append(try Self.check(entry, name: name, path: path))
            }
        }
        infos.sort {
            ($0.bytes.lowerBound, $0.bytes.upperBound, $0.name) < ($1.bytes.lowerBound, $1.bytes.upperBound, $1.name)
        }
        try Self.checkCover(infos, dataBytes: dataBytes, path: path)
        self.init(tensors: infos, metadata: metadata)
    }

    private static func check(_ entry: Entry, name: String, path: String) throws -> TensorInfo {
        func bad(_ expected: String, _ found: String) -> DataError {
            DataError(path: path, expected: expected, found: "\(found) for tensor '\(name)'")
        }
        guard let type = ElementType(rawValue: entry.dtype) else {
            let known = ElementType.allCases.map(\.rawValue).joined(separator: " ")
            throw bad("an element type among \(known)", "'\(entry.dtype)'")
        }
        let offsets = entry.data_offsets
        guard offsets.count == 2, 0 <= offsets[0], offsets[0] <= offsets[1] else {
            throw bad("two rising offsets", "\(offsets)")
        }
        var size = type.bytes
        for length in entry.shape {
            let (product, overflow) = size.multipliedReportingOverflow(by: length)
            guard length >= 0, !overflow else { throw bad("a shape that fits in memory", "\(entry.shape)") }
            size = product
        }
        guard size == offsets[1] - offsets[0] else {
            throw bad("\(size) bytes for \(type.rawValue) \(entry.shape)", "\(offsets[1] - offsets[0])")
        }
        return TensorInfo(name: name, type: type, shape: entry.shape, bytes: offsets[0]..<offsets[1])
    }

    /// Tensors follow one another from 0 to the end of the file, without gap or overlap.
    private static func checkCover(_ tensors: [TensorInfo], dataBytes: Int, path: String) throws {
        var end = 0
        for tensor in tensors {
            guard tensor.bytes.lowerBound == end else {
                throw DataError(
                    path: path, expected: "tensor '\(tensor.name)' to start at byte \(end) of the data",
                    found: "\(tensor.bytes.lowerBound)")
            }
            end = tensor.bytes.upperBound
        }
        guard end == dataBytes else {
            throw DataError(
                path: path, expected: "\(end) bytes of data", found: "\(dataBytes)",
                hint: "the file was cut short or appended to; make it again")
        }
    }
}
