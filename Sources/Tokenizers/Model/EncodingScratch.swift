import Synchronization

/// What encoding keeps from one word to the next, and from one call to the next: buffers and the words met before.
///
/// Unchecked because a scratch belongs to one call at a time: ``ScratchPool`` hands it out under a lock.
final class EncodingScratch: @unchecked Sendable {
    let cache = WordCache()
    private var merger = PairMerger()

    /// Takes the merger out, so that nobody else holds its buffers.
    func takeMerger() -> PairMerger {
        defer { merger = PairMerger() }
        return merger
    }

    /// Puts the merger back for the next text.
    func giveBack(_ merger: PairMerger) { self.merger = merger }
}

/// The scratches that no call uses at the moment.
///
/// Calls on several threads never wait for each other's work, and a tokenizer keeps the memory of a few of them only.
final class ScratchPool: Sendable {
    private let idle = Mutex<[EncodingScratch]>([])
    private static let limit = 8

    /// Runs `body` with a scratch of its own.
    func withScratch<Result>(_ body: (EncodingScratch) -> Result) -> Result {
        let scratch = idle.withLock { $0.popLast() } ?? EncodingScratch()
        defer { idle.withLock { if $0.count < Self.limit { $0.append(scratch) } } }
        return body(scratch)
    }
}
