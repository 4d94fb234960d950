import Identity
import Proofs
import Sampling
import Tensors

/// One sample while it is generated.
///
/// Threads of a step touch different samples, never the same one.
final class SampleState {
    let index: UInt32
    let noise: NoiseWords
    private var progress: Progress

    /// What grows with every token, together so that a token takes one access.
    private struct Progress {
        var tokens: [Int32] = []
        var logProbabilities: [Float] = []
        var finishReason: FinishReason?
        var rows: ChunkRows
        var commitments: [Hash256] = []
        var proofs: [ToplocProof] = []

        mutating func accept(_ chosen: ChosenToken, row: UnsafePointer<BFloat16Bits>, _ group: GroupState) {
            rows.append(row)
            tokens.append(chosen.token)
            logProbabilities.append(chosen.logProbability)
            // A stop token in the last place is a stop, not a length.
            if group.stopTokens.contains(chosen.token) {
                finishReason = .stop
            } else if tokens.count >= group.maximumTokens {
                finishReason = .length
            }
        }
    }

    init(index: UInt32, noise: NoiseWords, rows: ChunkRows, capacity: Int) {
        self.index = index
        self.noise = noise
        progress = Progress(rows: rows)
        progress.tokens.reserveCapacity(capacity)
        progress.logProbabilities.reserveCapacity(capacity)
    }

    var tokens: [Int32] { progress.tokens }
    var finishReason: FinishReason? { progress.finishReason }

    /// Whether a chunk is complete and waits for its proof.
    var hasProofWork: Bool { progress.rows.isFull || progress.finishReason != nil && !progress.rows.isEmpty }

    /// Takes a token together with the hidden row that predicted it.
    func accept(_ chosen: ChosenToken, row: UnsafePointer<BFloat16Bits>, _ group: GroupState) {
        progress.accept(chosen, row: row, group)
    }

    /// Commits to the collected rows and proves them.
    func prove(workerKey: PublicKey, groupID: Hash256, chunking: Chunking) throws {
        let chunk = UInt32(progress.commitments.count)
        let rows = progress.rows.values
        progress.commitments.append(
            try Commitment.make(rows: rows, workerKey: workerKey, groupID: groupID, sample: index, chunk: chunk))
        progress.proofs.append(try ToplocProof(TopRows(of: rows, count: chunking.topK)))
        progress.rows.removeAll()
    }

    /// The sample as it is handed on, once it has ended.
    var result: SampleResult? {
        progress.finishReason.map {
            SampleResult(
                tokens: progress.tokens, logProbabilities: progress.logProbabilities, finishReason: $0,
                commitments: progress.commitments, proofs: progress.proofs)
        }
    }
}
