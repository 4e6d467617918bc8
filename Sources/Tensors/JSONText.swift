import Foundation

/// JSON that may be anything at all, and JSON as all files of ours have it.
package enum JSONText {
    /// Members sorted, indented.
    package static func encode(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(value)
    }

    /// What a file holds; a `DataError` says in a few words what is wrong with it.
    package static func decode<Value: Decodable>(
        _ type: Value.Type, path: String, expected: String, hint: String? = nil
    ) throws -> Value {
        try decode(type, Data(FileSystem.read(path)), path: path, expected: expected, hint: hint)
    }

    /// - Parameter path: of the file that the text is from
    package static func decode<Value: Decodable>(
        _ type: Value.Type, _ text: Data, path: String, expected: String, hint: String? = nil
    ) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: text)
        } catch {
            throw DataError(path: path, expected: expected, found: words(error), hint: hint)
        }
    }

    /// A decoder's error in a few words; its own take a paragraph.
    private static func words(_ error: Error) -> String {
        func place(_ context: DecodingError.Context, _ last: CodingKey? = nil) -> String {
            (context.codingPath + (last.map { [$0] } ?? [])).map(\.stringValue).joined(separator: ".")
        }
        switch error as? DecodingError {
        case .keyNotFound(let key, let context)?: return "no '\(place(context, key))'"
        case .typeMismatch(_, let context)?, .valueNotFound(_, let context)?:
            return context.codingPath.isEmpty ? "no JSON object" : "something else at '\(place(context))'"
        case .dataCorrupted(let context)?:
            return context.codingPath.isEmpty ? "no JSON" : "something else at '\(place(context))'"
        default: return "\(error)"  // what a type of ours says of itself
        }
    }
}
