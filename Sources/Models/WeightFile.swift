import Kernels
import Tensors

/// Blocks of weights as safetensors: one tensor a slot, under the slot's name, so that a model opens in Python as it
/// is.
package enum WeightFile {
    /// Tensors of one block. Blocks of the same layout, such as moments, differ by a prefix.
    package struct Part {
        package let prefix: String
        package let block: FloatBlock
        package let slots: [Slot]

        package init(_ block: FloatBlock, _ slots: [Slot], prefix: String = "") {
            self.prefix = prefix
            self.block = block
            self.slots = slots
        }
    }

    package static func write(_ parts: [Part], metadata: [String: String] = [:], to path: String) throws {
        let writer = try TensorFileWriter(
            path: path, tensors: parts.flatMap { part in part.slots.map { (part.prefix + $0.name, .f32, $0.shape) } },
            metadata: metadata)
        for part in parts {
            for slot in part.slots {
                let values = UnsafeRawBufferPointer(
                    start: part.block.base + slot.offset, count: slot.count * MemoryLayout<Float>.stride)
                try writer.write(part.prefix + slot.name, at: 0, values)
            }
        }
        try writer.finish()
    }

    /// Reads every slot's tensor; one that is absent or has another shape is an error that names it.
    ///
    /// - Parameter dropping: what the tensors' names in the file lack of the slots' names, at their beginning
    package static func read(_ file: TensorFile, _ part: Part, dropping: String = "") throws {
        for slot in part.slots {
            let name =
                part.prefix + (slot.name.hasPrefix(dropping) ? String(slot.name.dropFirst(dropping.count)) : slot.name)
            try check(file, name, slot)
            try UnsafeMutableRawPointer(part.block.base + slot.offset).copyMemory(
                from: file.bytes(name).baseAddress!, byteCount: slot.count * MemoryLayout<Float>.stride)
        }
    }

    /// A slot's tensor where it lies, valid while the file is open.
    package static func view(_ file: TensorFile, _ slot: Slot) throws -> UnsafeBufferPointer<Float> {
        try check(file, slot.name, slot)
        return try file.view(slot.name, as: Float.self)
    }

    /// Whether a file has every slot's tensor and no others, without reading them.
    package static func check(_ file: TensorFile, _ slots: [Slot]) throws {
        for slot in slots { try check(file, slot.name, slot) }
        let known = Set(slots.map(\.name))
        guard let other = file.tensors.map(\.name).filter({ !known.contains($0) }).min() else { return }
        throw DataError(
            path: file.path, expected: "\(slots.count) tensors of the model", found: "another, \(Excerpt.line(other))",
            hint: "the file belongs to a model of another shape")
    }

    private static func check(_ file: TensorFile, _ name: String, _ slot: Slot) throws {
        let info = try file.info(name)
        guard info.shape == slot.shape, info.type == .f32 else {
            throw DataError(
                path: file.path, expected: "\(name) as F32 \(slot.shape)", found: "\(info.type.rawValue) \(info.shape)",
                hint: "the file belongs to a model of another shape")
        }
    }
}
