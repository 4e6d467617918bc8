import Kernels

/// One place's map of one sentence: row i is of output i, column j of token j that the place reads.
package struct PlaceMap: Equatable, Sendable {
    package let outputs: Int
    package let read: Int
    /// [outputs, read]
    package internal(set) var values: [Float]

    package init(outputs: Int, read: Int, values: [Float]) {
        require(values.count == outputs * read, "\(values.count) values for a map [\(outputs) x \(read)]")
        (self.outputs, self.read, self.values) = (outputs, read, values)
    }

    init(outputs: Int, read: Int) {
        self.init(outputs: outputs, read: read, values: Array(repeating: 0, count: outputs * read))
    }

    package internal(set) subscript(output: Int, token: Int) -> Float {
        get { values[output * read + token] }
        set { values[output * read + token] = newValue }
    }

    /// Each row divided by its sum; one of zeros stays as it is.
    mutating func normaliseRows() {
        for output in 0..<outputs {
            let row = output * read..<(output + 1) * read, sum = values[row].reduce(0, +)
            if sum > 0 { for index in row { values[index] /= sum } }
        }
    }
}

extension ContextNetwork {
    /// How much each output owes to each token that is read: token j is left out, and output y_i moves.
    ///
    ///     c_ij = |y_i - y_i without j|        influence_ij = c_ij / sum_j c_ij
    ///
    /// (occlusion, Zeiler and Fergus 2014.) Where tokens are read as a set, the token that asks stays as it was and
    /// only what is read lacks one; otherwise the left-out token is zero, as padding is. An output that is left with
    /// nothing to read has moved by all of itself. A row that nothing moves is zero, every other sums to 1.
    ///
    /// - Parameters:
    ///   - tape: of a forward pass over one sentence
    ///   - memory: what cross-attention read in it, [source tokens, d]
    func influence(_ tape: ContextTape, _ attention: Attention, memory: Matrix?, _ pass: Pass) -> PlaceMap {
        let space = pass.workspace, mark = space.mark, y = tape.context, tokens = (memory ?? tape.x).rows
        defer { space.release(to: mark) }
        var map = PlaceMap(outputs: y.rows, read: tokens)
        let change = LeftOut(self, tape.x, attention, memory: memory, pass)
        for token in 0..<tokens {
            for output in 0..<y.rows {
                map[output, token] =
                    switch change.output(output, without: token) {
                    case .row(let row): distance(y.row(output), row, y.columns)
                    case .nothingRead: distance(y.row(output), nil, y.columns)
                    case .unmoved: 0
                    }
            }
        }
        map.normaliseRows()
        return map
    }

    private func distance(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>?, _ width: Int) -> Float {
        var squares: Float = 0
        for c in 0..<width {
            let difference = a[c] - (b?[c] ?? 0)
            squares += difference * difference
        }
        return squares.squareRoot()
    }
}

/// A network's outputs of a sentence without its first token, without its second, and so on: a batch with a sentence
/// for each token that is read.
private struct LeftOut {
    enum Output {
        case row(UnsafePointer<Float>)
        /// The only token that it saw is the one that was left out.
        case nothingRead
        /// It came before the token.
        case unmoved
    }

    private let readsSet: Bool
    private let isCausal: Bool
    private let tokens: Int
    private let outputs: Packed
    private let context: Matrix?

    init(_ network: some ContextNetwork, _ x: Matrix, _ attention: Attention, memory: Matrix?, _ pass: Pass) {
        let space = pass.workspace, read = memory ?? x
        readsSet = network.readsSet
        isCausal = attention == .decoder
        tokens = read.rows
        guard readsSet else {
            let (zeroed, sentences) = Self.repeated(read, space) { $0 == $1 ? .zero : .same }
            let (asking, own) = memory == nil ? (zeroed, sentences) : Self.repeated(x, times: tokens, space)
            let source = memory.map { _ in EncoderOutput(x: zeroed, sentences: sentences) }
            outputs = own
            context = network.forward(asking, own, memory: source, pass).context
            return
        }
        guard tokens > 1 else {
            (outputs, context) = (Packed(), nil)
            return
        }
        let (rest, sentences) = Self.repeated(read, space) { $0 == $1 ? .absent : .same }
        // A causal query sees as many tokens as stand up to it. To see those up to its own place but for j, queries
        // from j on move up by one, and the one before j, which does not see it, makes room.
        let (asking, own) =
            isCausal
            ? Self.repeated(x, space) { $0 == max($1 - 1, 0) ? .absent : .same }
            : Self.repeated(x, times: tokens, space)
        outputs = own
        context = network.forward(asking, own, memory: EncoderOutput(x: rest, sentences: sentences), pass).context
    }

    func output(_ output: Int, without token: Int) -> Output {
        guard let context else { return .nothingRead }
        guard readsSet && isCausal else { return .row(context.row(outputs.offsets[token] + output)) }
        if output < token { return .unmoved }
        return output == 0 ? .nothingRead : .row(context.row(outputs.offsets[token] + output - 1))
    }

    private enum Row { case same, zero, absent }

    /// As many copies of a sentence as it has tokens. `row` says what becomes of a row in a copy.
    private static func repeated(
        _ x: Matrix, times: Int? = nil, _ space: Workspace, row: (_ row: Int, _ copy: Int) -> Row = { _, _ in .same }
    ) -> (Matrix, Packed) {
        let times = times ?? x.rows
        let all = space.zeros(x.rows * times, x.columns)
        var sentences = Packed(), filled = 0
        for copy in 0..<times {
            var length = 0
            for index in 0..<x.rows {
                let becomes = row(index, copy)
                if becomes == .absent { continue }
                if becomes == .same { all.row(filled).update(from: x.row(index), count: x.columns) }
                filled += 1
                length += 1
            }
            sentences.append(length: length)
        }
        return (all.rows(0..<filled), sentences)
    }
}
