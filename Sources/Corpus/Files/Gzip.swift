import CZlib
import Tensors

/// Decompression of whole buffers; what is cut short or damaged is an error, never a shorter result.
enum Gzip {
    /// zlib's encoding of the format: log2 of the window, 16 more for a gzip header.
    private static let windowBits: Int32 = 15 + 16

    /// RFC 1952: one member or several in a row, CRC-32 checked.
    ///
    /// - Parameters:
    ///   - path: named in errors only.
    ///   - limit: no more than this many bytes may come out.
    static func inflate(_ bytes: ArraySlice<UInt8>, path: String, limit: Int = 1 << 33) throws -> [UInt8] {
        var rest = bytes
        var output: [UInt8] = []
        repeat {
            rest = try inflateMember(rest, path: path, limit: limit, into: &output)
        } while rest.contains { $0 != 0 }
        return output
    }

    /// Appends one member's content and returns what follows it.
    private static func inflateMember(
        _ bytes: ArraySlice<UInt8>, path: String, limit: Int, into output: inout [UInt8]
    ) throws -> ArraySlice<UInt8> {
        var stream = z_stream()
        let status = inflateInit2_(&stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else { throw damaged(path, "zlib error \(status)") }
        defer { inflateEnd(&stream) }

        var chunk = [UInt8](repeating: 0, count: 1 << 18)
        return try bytes.withUnsafeBufferPointer { input in
            var consumed = 0
            while true {
                let offered = min(input.count - consumed, 1 << 30)
                stream.next_in = input.baseAddress.map { UnsafeMutablePointer(mutating: $0 + consumed) }
                stream.avail_in = UInt32(offered)
                let (result, produced) = chunk.withUnsafeMutableBufferPointer { buffer -> (Int32, Int) in
                    stream.next_out = buffer.baseAddress
                    stream.avail_out = UInt32(buffer.count)
                    let result = CZlib.inflate(&stream, Z_NO_FLUSH)
                    return (result, buffer.count - Int(stream.avail_out))
                }
                consumed += offered - Int(stream.avail_in)
                output.append(contentsOf: chunk[..<produced])
                guard output.count <= limit else { throw tooLong(path, limit) }
                switch result {
                case Z_STREAM_END: return bytes[(bytes.startIndex + consumed)...]
                case Z_OK: continue
                case Z_BUF_ERROR:
                    throw damaged(path, "an end after \(bytes.count) compressed bytes: the file is cut short")
                default: throw damaged(path, stream.msg.map { String(cString: $0) } ?? "zlib error \(result)")
                }
            }
        }
    }

    private static func tooLong(_ path: String, _ limit: Int) -> DataError {
        DataError(
            path: path, expected: "no more than \(limit) bytes of text", found: "more", hint: "give a part of it")
    }

    private static func damaged(_ path: String, _ found: String) -> DataError {
        DataError(path: path, expected: "compressed data that is whole", found: found, hint: "fetch the file again")
    }
}
