/// Element types that the project stores, by their safetensors names.
package enum ElementType: String, Codable, Sendable, CaseIterable {
    case u8 = "U8"
    case u16 = "U16"
    case i32 = "I32"
    case i64 = "I64"
    case f16 = "F16"
    case f32 = "F32"

    /// Bytes of one element.
    package var bytes: Int {
        switch self {
        case .u8: 1
        case .u16, .f16: 2
        case .i32, .f32: 4
        case .i64: 8
        }
    }
}

/// Swift types that stand for an element of a tensor as it is in memory.
package protocol TensorElement: BitwiseCopyable, Sendable {
    static var elementType: ElementType { get }
}

extension UInt8: TensorElement { package static var elementType: ElementType { .u8 } }
extension UInt16: TensorElement { package static var elementType: ElementType { .u16 } }
extension Int32: TensorElement { package static var elementType: ElementType { .i32 } }
extension Int: TensorElement { package static var elementType: ElementType { .i64 } }
extension Float16: TensorElement { package static var elementType: ElementType { .f16 } }
extension Float: TensorElement { package static var elementType: ElementType { .f32 } }

/// One tensor of a file: row-major, its place given in bytes from the start of the file's data.
package struct TensorInfo: Sendable, Equatable {
    package let name: String
    package let type: ElementType
    package let shape: [Int]
    package let bytes: Range<Int>
}
