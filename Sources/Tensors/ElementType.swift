/// Element types that the project stores, by their safetensors names.
public enum ElementType: String, Codable, Sendable, CaseIterable {
    case u8 = "U8"
    case u16 = "U16"
    case i32 = "I32"
    case i64 = "I64"
    case f16 = "F16"
    case f32 = "F32"

    /// Bytes of one element.
    public var bytes: Int {
        switch self {
        case .u8: 1
        case .u16, .f16: 2
        case .i32, .f32: 4
        case .i64: 8
        }
    }
}

/// Swift types that stand for an element of a tensor as it is in memory.
public protocol TensorElement: BitwiseCopyable, Sendable {
    static var elementType: ElementType { get }
}

extension UInt8: TensorElement { public static var elementType: ElementType { .u8 } }
extension UInt16: TensorElement { public static var elementType: ElementType { .u16 } }
extension Int32: TensorElement { public static var elementType: ElementType { .i32 } }
extension Int: TensorElement { public static var elementType: ElementType { .i64 } }
extension Float16: TensorElement { public static var elementType: ElementType { .f16 } }
extension Float: TensorElement { public static var elementType: ElementType { .f32 } }

/// One tensor of a file: row-major, its place given in bytes from the start of the file's data.
public struct TensorInfo: Sendable, Equatable {
    public let name: String
    public let type: ElementType
    public let shape: [Int]
    public let bytes: Range<Int>

    /// Number of elements, 1 for a scalar.
    public var count: Int { bytes.count / type.bytes }
}
