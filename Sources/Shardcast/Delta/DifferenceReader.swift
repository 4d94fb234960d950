import Identity

/// Reads the differences that lead from one version to a later one tensor by tensor, in any order, for weights that are in
/// memory.
///
/// Every length in the streams is checked as it is read; memory is a list of the tensors that change and a few blocks. What a
/// chain of differences makes of other weights than those that it is for has another hash than it should: the caller
/// compares ``weightsHash`` before it uses anything.
public final class DifferenceReader {
    /// Where a tensor's bytes stand in the files of every version of the chain.
    public struct Place: Hashable, Sendable {
        /// The file's name.
        public let file: String
        /// From the file's first byte.
        public let bytes: Range<UInt64>

        /// Names a place.
        public init(file: String, bytes: Range<UInt64>) {
            self.file = file
            self.bytes = bytes
        }
    }

    /// Elements of a block: see ``revise(_:)``.
    public static let blockElements = DeltaFormat.blockElements
    /// Most changes of tensors in a whole chain; more are no model's.
    static let changes = 1 << 18

    /// The weights that the chain is for.
    public let baseWeightsHash: Hash256
    /// The weights that it leads to.
    public let weightsHash: Hash256

    private let streams: [DeltaStream]
    /// For each tensor that changes: which streams change it, in order, and where that begins.
    private var changes: [Place: [(stream: Int, position: UInt64)]] = [:]
    private var current: [DeltaStream] = []

    /// Opens the differences and finds out which tensors change.
    ///
    /// - Parameter chain: One for each version after the base, in order.
    /// - Throws: ``ShardcastError`` of kind `corruptDelta` where one is irregular, is not for the version before, or changes
    ///   something else than elements of 16 bits.
    public convenience init(_ chain: [WeightDifference]) throws(ShardcastError) {
        var streams: [DeltaStream] = []
        for difference in chain { streams.append(try difference.stream()) }
        try self.init(streams: streams)
    }

    /// - Parameter streams: Each at its beginning.
    init(streams: [DeltaStream]) throws(ShardcastError) {
        guard let first = streams.first, let last = streams.last else {
            throw ShardcastError(.corruptDelta, "A chain of no differences leads nowhere.")
        }
        for (before, after) in zip(streams, streams.dropFirst()) where before.weightsHash != after.baseWeightsHash {
            throw after.fault("its base is another version than the one before it leads to")
        }
        baseWeightsHash = first.baseWeightsHash
        weightsHash = last.weightsHash
        self.streams = streams
        var count = 0
        for index in streams.indices { try list(index, &count) }
    }

    /// The tensors that change.
    public var places: some Collection<Place> { changes.keys }

    /// Turns to a tensor; whether it changes at all.
    public func begin(_ place: Place) -> Bool {
        let found = changes[place] ?? []
        current = found.map { change in
            streams[change.stream].seek(to: change.position)
            return streams[change.stream]
        }
        return !found.isEmpty
    }

    /// Changes the next ``blockElements`` elements of the tensor, or those that are left, to what they are in the last version.
    ///
    /// - Throws: ``ShardcastError`` of kind `corruptDelta`; the elements are worthless then.
    public func revise(_ block: UnsafeMutableBufferPointer<UInt16>) throws(ShardcastError) {
        guard let start = block.baseAddress else { return }
        precondition(block.count <= Self.blockElements, "more elements than a block has")
        for stream in current { try stream.decodeBlock(start, count: block.count) }
    }

    /// Notes what a stream changes, and that it is whole.
    private func list(_ index: Int, _ count: inout Int) throws(ShardcastError) {
        let stream = streams[index]
        for _ in 0..<stream.files {
            let file = try stream.beginFile()
            var offset: UInt64 = 0
            for _ in 0..<file.segments {
                let segment = try stream.beginSegment()
                guard segment.bytes <= file.bytes - offset else {
                    throw stream.fault("a segment does not fit the file")
                }
                let bytes = offset..<offset + segment.bytes
                offset = bytes.upperBound
                switch segment.coding {
                case .unchanged: continue
                case .replaced: throw stream.fault("\(file.name) changes in other ways than in its half-width tensors")
                case .blocks: break
                }
                count += 1
                guard count <= Self.changes else { throw stream.fault("more tensors change than any model has") }
                changes[Place(file: file.name, bytes: bytes), default: []].append((index, stream.position))
                try pass(segment.bytes / 2, of: stream)
            }
            guard offset == file.bytes else { throw stream.fault("it covers \(offset) of \(file.bytes) bytes") }
        }
        try stream.finish()
    }

    /// Passes over the blocks of a tensor and its hash.
    private func pass(_ elements: UInt64, of stream: DeltaStream) throws(ShardcastError) {
        var left = elements
        while left > 0 {
            let count = min(left, UInt64(Self.blockElements))
            try stream.skipBlock(count: Int(count))
            left -= count
        }
        try stream.skip(UInt64(Hash256.byteCount))
    }
}
