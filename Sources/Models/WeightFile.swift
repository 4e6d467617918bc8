import Kernels
import Tensors

/// Blocks of weights as safetensors: one tensor a slot, under the slot's name, so that a model opens in Python as it is.
public enum WeightFile {
    /// - Parameter blocks: by the prefix of their tensors' names; a model alone has the empty prefix.
    public static func write(_ blocks: [(prefix: String, block: FloatBlock)], layout: ParameterLayout, metadata: [String: String] = [:], to path: String) throws {
        let writer = try TensorFileWriter(
            path: path,
            tensors: blocks.flatMap { prefix, _ in layout.slots.map { (prefix + $0.name, .f32, $0.shape) } },
            metadata: metadata)
        for (prefix, block) in blocks {
            for slot in layout.slots {
                let values = UnsafeRawBufferPointer(start: block.base + slot.offset, count: slot.count * MemoryLayout<Float>.stride)
                try writer.write(prefix + slot.name, at: 0, values)
            }
        }
        try writer.finish()
    }

    /// Reads every slot's tensor into `block`; one that is absent or has another shape is an error that names it.
    public static func read(_ file: TensorFile, prefix: String = "", layout: ParameterLayout, into block: FloatBlock) throws {
        for slot in layout.slots {
            let info = try file.info(prefix + slot.name)
            guard info.shape == slot.shape, info.type == .f32 else {
                throw DataError(
                    path: file.path, expected: "\(prefix + slot.name) as F32 \(slot.shape)", found: "\(info.type.rawValue) \(info.shape)",
                    hint: "the file belongs to a model of another shape")
            }
            try UnsafeMutableRawPointer(block.base + slot.offset).copyMemory(from: file.bytes(info.name).baseAddress!, byteCount: slot.count * MemoryLayout<Float>.stride)
        }
    }
}
