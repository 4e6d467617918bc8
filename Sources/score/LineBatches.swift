import Corpus
import Foundation
import Tensors

/// Lines of a descriptor in batches: as many as are there, at most `most`. A program at the other end of a pipe gets
/// its answer when it has nothing more to say for now, and a file is read in large pieces.
struct LineBatches {
    let descriptor: Int32
    let most: Int
    private var buffer: [UInt8] = []
    /// Where in the buffer the next line starts, and where its end has not been looked for yet.
    private var start = 0
    private var unseen = 0
    private var hasEnded = false
    /// Lines handed out.
    private var count = 0
    /// What is wrong with the line after those that were handed out.
    private var problem: Error?

    init(_ descriptor: Int32, most: Int = 4096) {
        self.descriptor = descriptor
        self.most = most
    }

    /// The next lines without their ends; nil when there are no more. Throws `DataError` at the first that is no text,
    /// when those before it have been handed out.
    mutating func next() throws -> [String]? {
        if let problem { throw problem }
        var lines: [String] = []
        while true {
            while lines.count < most, let end = buffer[unseen...].firstIndex(of: 0x0A) {  // LF
                unseen = end + 1
                do {
                    lines.append(try text(buffer[start..<end]))
                } catch {
                    guard !lines.isEmpty else { throw error }
                    problem = error
                    return lines
                }
                start = end + 1
            }
            if lines.count < most { unseen = buffer.count }
            if lines.count == most || (!lines.isEmpty && (hasEnded || !isWaiting)) { return lines }
            guard !hasEnded else {
                defer { start = buffer.count }
                return start == buffer.count ? nil : [try text(buffer[start...])]
            }
            try fill()
        }
    }

    /// Whether more could be read at once.
    private var isWaiting: Bool {
        var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&state, 1, 0) > 0 && state.revents & Int16(POLLIN) != 0
    }

    private mutating func fill() throws {
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        let count = read(descriptor, &piece, piece.count)
        if count < 0 && errno == EINTR { return }
        if count < 0 && errno == EAGAIN { return FileSystem.waitForInput(descriptor) }
        guard count >= 0 else { throw DataError.reading("standard input") }
        hasEnded = count == 0
        buffer.removeFirst(start)
        (start, unseen) = (0, unseen - start)
        buffer.append(contentsOf: piece[..<count])
    }

    private mutating func text(_ line: ArraySlice<UInt8>) throws -> String {
        count += 1
        return try TextLines.line(line.last == 0x0D ? line.dropLast() : line, path: "standard input", number: count)
    }
}
