/// Finds added tokens in text: at every place the longest, from left to right, without overlap.
///
/// A tree of bytes; most places of a text are passed over by their first byte.
struct TokenMatcher: Sendable {
    private struct Edge: Sendable {
        let byte: UInt8
        let node: Int32
    }

    private struct Node: Sendable {
        var edges: [Edge] = []
        /// The index of the token that ends here, -1 for none.
        var token: Int32 = -1
    }

    private var nodes = [Node()]
    private var starts = [Bool](repeating: false, count: 256)
    /// Whether there is no token at all.
    var isEmpty: Bool { nodes.count == 1 }

    /// Adds a text.
    ///
    /// - Returns: false if it is there already.
    mutating func insert(_ text: [UInt8], token: Int) -> Bool {
        guard let first = text.first else { return false }
        starts[Int(first)] = true
        var node = 0
        for byte in text {
            if let edge = nodes[node].edges.first(where: { $0.byte == byte }) {
                node = Int(edge.node)
            } else {
                nodes.append(Node())
                nodes[node].edges.append(Edge(byte: byte, node: Int32(nodes.count - 1)))
                node = nodes.count - 1
            }
        }
        guard nodes[node].token < 0 else { return false }
        nodes[node].token = Int32(token)
        return true
    }

    /// The next match at or after `position`: where it is and the index of its token.
    func next(
        in bytes: UnsafeBufferPointer<UInt8>, from position: Int
    ) -> (range: Range<Int>, token: Int)? {
        starts.withUnsafeBufferPointer { starts in
            var place = position
            while place < bytes.count {
                if starts[Int(bytes[place])], let match = longest(bytes, at: place) { return match }
                place += 1
            }
            return nil
        }
    }

    private func longest(_ bytes: UnsafeBufferPointer<UInt8>, at start: Int) -> (range: Range<Int>, token: Int)? {
        var found: (range: Range<Int>, token: Int)?
        var node = 0
        var position = start
        while position < bytes.count, let edge = nodes[node].edges.first(where: { $0.byte == bytes[position] }) {
            node = Int(edge.node)
            position += 1
            if nodes[node].token >= 0 { found = (start..<position, Int(nodes[node].token)) }
        }
        return found
    }
}
