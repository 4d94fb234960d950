import Identity
import Proofs
import Sampling
import Tensors
import Transformer

/// One sample while it is generated.
///
/// Threads of a step touch different samples, never the same one.
final class SampleState {
    let index: UInt32
    let noise: NoiseWords
    private(set) var tokens: [Int32] = []
    private(set) var logProbabilities: [Float] = []
    private(set) var finishReason: FinishReason?
    /// Where its keys and values are while it decodes.
    var sequence: SequenceHandle?
    /// Positions whose keys and values are there.
    var computed = 0

    private var rows: ChunkRows
    private var commitments: [Hash256] = []
    private var proofs: [ToplocProof] = []

    init(index: UInt32, noise: NoiseWords, rows: ChunkRows, capacity: Int) {
        self.index = index
        self.noise = noise
        self.rows = rows
        tokens.reserveCapacity(capacity)
        logProbabilities.reserveCapacity(capacity)
    }

    /// Whether a chunk is complete and waits for its proof.
    var hasProofWork: Bool { rows.isFull || finishReason != nil && !rows.isEmpty }

    /// Takes a token together with the hidden row that predicted it.
    func accept(_ chosen: ChosenToken, row: UnsafePointer<BFloat16Bits>, parameters: SamplingParameters) {
        rows.append(row)
        tokens.append(chosen.token)
        logProbabilities.append(chosen.logProbability)
        // A stop token in the last place is a stop, not a length.
        if parameters.stopTokens.contains(chosen.token) {
            finishReason = .stop
        } else if tokens.count >= parameters.maximumTokens {
            finishReason = .length
        }
    }

    /// Commits to the collected rows and proves them.
    func prove(workerKey: PublicKey, groupID: Hash256, chunking: Chunking) throws {
        let chunk = UInt32(commitments.count)
        commitments.append(
            try Commitment.make(
                rows: rows.values, workerKey: workerKey, groupID: groupID, sample: index, chunk: chunk))
        proofs.append(try ToplocProof(TopRows(of: rows.values, count: chunking.topK)))
        rows.removeAll()
    }

    /// The sample as it is handed on, once it has ended.
    var result: SampleResult? {
        finishReason.map {
            SampleResult(
                tokens: tokens, logProbabilities: logProbabilities, finishReason: $0, commitments: commitments,
                proofs: proofs)
        }
    }
}
