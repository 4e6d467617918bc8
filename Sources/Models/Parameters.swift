import CKernels
import Kernels

/// The place of one named tensor in a model's parameter block.
package struct Slot: Equatable, Sendable {
    package let name: String
    package let offset: Int
    package let shape: [Int]
    /// Outputs of a matrix from inputs to outputs, of which several may stand one below another; nil: these are no such
    /// numbers, but a bias, a gain, an embedding or weights by position.
    package let matrixRows: Int?
    /// What starts as a constant does not: gains would decay towards zero, and biases have nothing to overfit with.
    package let decays: Bool

    package var rows: Int { shape.count > 1 ? shape[0] : 1 }
    package var columns: Int { shape.last ?? 1 }
    package var count: Int { shape.reduce(1, *) }
    package var range: Range<Int> { offset..<offset + count }
}

extension adam_t {
    package var withoutDecay: adam_t {
        var result = self
        result.decay = 0
        return result
    }
}

/// How a tensor starts.
package enum Initializer: Equatable, Sendable {
    case constant(Float)
    /// Uniform in +-sqrt(6 / (fanIn + fanOut)) (Glorot & Bengio 2010).
    case xavier(fanIn: Int, fanOut: Int)
}

/// Gives every tensor of a model its place in one contiguous block, so that weights, gradients and Adam's moments are
/// four blocks of the same layout and an update is one pass.
package struct ParameterLayout {
    package private(set) var slots: [Slot] = []
    package private(set) var initializers: [Initializer] = []
    package private(set) var count = 0
    private var prefix: [String] = []
    private static let alignment = 16

    package init() {}

    package mutating func add(
        _ name: String, _ shape: [Int], _ initializer: Initializer, matrixRows: Int? = nil
    ) -> Slot {
        let decays = if case .constant = initializer { false } else { true }
        let slot = Slot(
            name: (prefix + [name]).joined(separator: "."), offset: count, shape: shape, matrixRows: matrixRows,
            decays: decays)
        slots.append(slot)
        initializers.append(initializer)
        count += (slot.count + Self.alignment - 1) / Self.alignment * Self.alignment
        return slot
    }

    /// Names added inside `body` start with `name.`.
    package mutating func scope<T>(_ name: String, _ body: (inout ParameterLayout) -> T) -> T {
        prefix.append(name)
        defer { prefix.removeLast() }
        return body(&self)
    }

    /// Numbers that are learnt (the block is a little larger, as every tensor starts on 64 bytes).
    package var parameters: Int { slots.reduce(0) { $0 + $1.count } }

    /// Fresh weights; tensor i depends on (seed, i) alone.
    package func initialized(seed: UInt64) -> FloatBlock {
        let block = FloatBlock(count)
        for (index, (slot, initializer)) in zip(slots, initializers).enumerated() {
            let values = UnsafeMutableBufferPointer(start: block.base + slot.offset, count: slot.count)
            switch initializer {
            case .constant(let value): values.update(repeating: value)
            case .xavier(let fanIn, let fanOut):
                let bound = (6 / Float(fanIn + fanOut)).squareRoot()
                random_uniform(values.baseAddress!, slot.count, seed, UInt32(index) | 0x8000_0000, 0)
                for i in values.indices { values[i] = (2 * values[i] - 1) * bound }
            }
        }
        return block
    }
}

extension FloatBlock {
    package subscript(_ slot: Slot) -> Matrix { matrix(slot.rows, slot.columns, at: slot.offset) }
}
