import Proofs
import Tensors
import Verification

/// Needs a table of means only: where a few channels are always large, their means are always nearly right.
struct ChannelMeans: ProofAttack {
    let name = "channel-means"
    let summary = "proofs through the mean of each channel, at the positions that are usually largest"

    func proofs(
        of sample: Int, in group: HonestGroup, _ lab: AttackLab, calibration: [HonestGroup]
    ) throws -> [[UInt8]] {
        let means = try lab.channelMeans(from: calibration)
        let width = means.count
        let chunking = Chunking.standard
        let rows = group.evidence.samples[sample].tokens.count
        return try (0..<chunking.count(forRows: rows)).map { chunk in
            var table: [BFloat16Bits] = []
            for _ in chunking.range(ofChunk: chunk, rows: rows) {
                table += means.map { BFloat16Bits(truncatingIfNeeded: ($0.bitPattern + 0x8000) >> 16) }
            }
            precondition(table.count % width == 0)
            return try table.withUnsafeBufferPointer { try ToplocProof(TopRows(of: $0, count: chunking.topK)).bytes }
        }
    }
}
