import Foundation

/// Numbers as the reports print them.
package enum Decimals: Equatable, Sendable {
    /// So many digits after the point, correctly rounded.
    case fixed(Int)
    /// The shortest decimal that reads back as the same double.
    case full

    func text(_ value: Double) -> String {
        switch self {
        case .fixed(let digits): Self.fixed(value, digits)
        case .full: "\(value)"
        }
    }

    /// In JSON the rounded number is a number again: 30.0 and not 30.00.
    func json(_ value: Double) -> String {
        switch self {
        case .fixed: "\(Double(text(value))!)"
        case .full: "\(value)"
        }
    }

    static func fixed(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
}
