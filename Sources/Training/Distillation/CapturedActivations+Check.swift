import Corpus
import Models
import Tensors

extension CapturedActivations {
    /// Where sentences start and the last one ends: from 0, never falling, as many on one side as on the other, and no
    /// sentence longer than `maxTokens`.
    static func offsets(_ name: String, in file: TensorFile, maxTokens: Int, count: Int? = nil) throws -> [Int] {
        let offsets = try file.integers(name)
        func wrong(_ found: String) -> DataError {
            DataError(
                path: file.path, expected: "'\(name)' rising from 0, in steps of at most \(maxTokens)", found: found,
                hint: "capture again")
        }
        guard offsets.first == 0 else { throw wrong("it starting from \(offsets.first.map(String.init) ?? "nothing")") }
        for sentence in 0..<offsets.count - 1 {
            let (start, end) = (offsets[sentence], offsets[sentence + 1])
            // of numbers below 2^48 no sum or product that follows overflows
            guard end >= start, end < 1 << 48, end - start <= maxTokens else {
                throw wrong("\(start) to \(end) at sentence \(sentence)")
            }
        }
        guard count ?? offsets.count == offsets.count else {
            throw DataError(
                path: file.path, expected: "\(count! - 1) sentences in '\(name)'", found: "\(offsets.count - 1)",
                hint: "capture again")
        }
        return offsets
    }
}

extension CaptureConfiguration {
    /// Refuses a manifest whose numbers cannot be those of any model.
    ///
    /// - Parameter path: of the capture
    package func requireSound(path: String) throws {
        typealias Shape = TransformerConfiguration
        let sizes: KeyValuePairs = [
            "width": (width, Shape.widths), "heads": (heads, Shape.headCounts),
            "maxTokens": (maxTokens, 1...Shape.mostTokens), "encoderLayers": (encoderLayers, Shape.encoderDepths),
            "decoderLayers": (decoderLayers, Shape.decoderDepths),
        ]
        for (name, (value, range)) in sizes where !range.contains(value) {
            throw unsound(path, "\(name) from \(range.lowerBound) to \(range.upperBound)", "\(value)")
        }
        guard width % heads == 0 else {
            throw unsound(path, "a width that is a multiple of the heads", "\(width) and \(heads)")
        }
        let depth = max(encoderLayers, decoderLayers)
        guard let wrong = layers.first(where: { !(0..<depth).contains($0) }) else { return }
        throw unsound(path, "layers from 0 to \(depth - 1)", "\(wrong)")
    }

    private func unsound(_ path: String, _ expected: String, _ found: String) -> DataError {
        DataError(path: ManifestFile.path(path), expected: expected, found: found, hint: "capture again")
    }
}

extension PublishedFolder<CaptureConfiguration> {
    /// Hashes of the blocks of all activations.
    package func blockHashes() throws -> BlockHashes {
        guard sha256(BlockHashes.fileName) != nil else {
            throw DataError(
                path: ManifestFile.path(path), expected: "'\(BlockHashes.fileName)' among the files",
                found: "a capture of an earlier version", hint: "capture again")
        }
        return BlockHashes(try tensors(BlockHashes.fileName))
    }
}
