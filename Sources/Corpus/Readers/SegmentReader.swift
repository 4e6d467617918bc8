import CExpat
import Foundation
import Tensors

/// A sentence of a test set.
struct Segment: Equatable {
    /// Talk and number within it; equal on both sides.
    let key: String
    let text: String
    let line: Int
}

/// Reads the segments of a test set, `<doc docid="7"> ... <seg id="1"> text </seg> ... </doc>`, in XML as expat reads
/// it: quotes of either kind, several segments on a line, one over several lines, tags within the text, of which the
/// text is kept. Names of elements and attributes may be in capitals, as in SGML, from which the format comes. Nothing
/// is passed over in silence: a segment without number, a gap in the numbers or markup that is not well-formed is an
/// error, and elements that are no segments are counted.
final class SegmentReader {
    private(set) var segments: [Segment] = []
    /// Elements that say something about the talk, such as its title.
    private(set) var others = 0

    private let path: String
    private var talk = "?"
    private var number = 0
    private var open: (id: String, text: String, line: Int)?
    private var problem: DataError?
    private let parser: OpaquePointer

    /// What holds segments and is no text itself.
    private static let frames: Set<String> = ["mteval", "srcset", "refset", "tstset", "doc", "seg", "hl", "p"]

    init(_ bytes: ArraySlice<UInt8>, path: String) throws {
        self.path = path
        parser = XML_ParserCreate(nil)
        defer { XML_ParserFree(parser) }
        XML_SetUserData(parser, Unmanaged.passUnretained(self).toOpaque())
        XML_SetElementHandler(
            parser,
            { reader, name, attributes in
                SegmentReader.of(reader).begin(String(cString: name!).lowercased(), attributes!)
            },
            { reader, name in SegmentReader.of(reader).end(String(cString: name!).lowercased()) })
        XML_SetCharacterDataHandler(parser) { reader, text, count in
            let bytes = UnsafeRawBufferPointer(start: text, count: Int(count))
            SegmentReader.of(reader).open?.text += String(decoding: bytes, as: UTF8.self)
        }
        try bytes.withUnsafeBytes { try parse($0) }
        if segments.isEmpty {
            throw DataError(path: path, expected: "segments, <seg id=\"1\"> text </seg>", found: "none")
        }
    }

    private func parse(_ bytes: UnsafeRawBufferPointer) throws {
        var start = 0
        repeat {
            let count = min(1 << 20, bytes.count - start), isLast = start + count == bytes.count
            let piece = bytes.baseAddress.map { $0 + start }?.assumingMemoryBound(to: CChar.self)
            guard XML_Parse(parser, piece, Int32(count), isLast ? 1 : 0) == XML_STATUS_OK else {
                throw problem
                    ?? DataError(
                        path: "\(path):\(XML_GetCurrentLineNumber(parser))", expected: "well-formed XML",
                        found: String(cString: XML_ErrorString(XML_GetErrorCode(parser))),
                        hint: "an & in the text is written &amp; and a < &lt;")
            }
            start += count
        } while start < bytes.count
    }

    private static func of(_ pointer: UnsafeMutableRawPointer?) -> SegmentReader {
        Unmanaged<SegmentReader>.fromOpaque(pointer!).takeUnretainedValue()
    }

    private func refuse(_ expected: String, _ found: String) {
        problem = DataError(path: "\(path):\(XML_GetCurrentLineNumber(parser))", expected: expected, found: found)
        XML_StopParser(parser, XML_Bool(0))
    }

    private func begin(_ name: String, _ attributes: UnsafeMutablePointer<UnsafePointer<XML_Char>?>) {
        func attribute(_ wanted: String) -> String? {
            var index = 0
            while let name = attributes[index], let value = attributes[index + 1] {
                if String(cString: name).lowercased() == wanted { return String(cString: value) }
                index += 2
            }
            return nil
        }
        guard problem == nil else { return }
        switch name {
        case "doc":
            guard let id = attribute("docid") else { return refuse("<doc docid=…>", "a <doc> without docid") }
            (talk, number) = (id, 0)
        case "seg":
            guard open == nil else { return refuse("</seg>", "a segment within a segment") }
            guard let id = attribute("id") else { return refuse("<seg id=…>", "a segment without id") }
            number += 1
            if let given = Int(id), given != number {
                return refuse("segment \(number) of talk \(talk)", "segment \(id)")
            }
            open = (id, "", Int(XML_GetCurrentLineNumber(parser)))
        default:
            if open == nil, !Self.frames.contains(name) { others += 1 }
        }
    }

    private func end(_ name: String) {
        guard problem == nil, name == "seg", let segment = open else { return }
        // a sentence is one line, whatever line breaks its markup has
        let text = segment.text.split(whereSeparator: \.isNewline).map { trimmed(String($0)) }.filter { !$0.isEmpty }
            .joined(separator: " ")
        segments.append(Segment(key: "\(talk)/\(segment.id)", text: text, line: segment.line))
        open = nil
    }
}
