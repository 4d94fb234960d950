import Identity
import Proofs
import Sampling
import Tensors
import Transformer
import Verification

/// An honest engine with another arithmetic, simulated: its final hidden rows are ours with noise.
///
/// It samples from its own rows by the leased noise and proves them honestly. What it is refused for is a false
/// rejection, by which the thresholds of the `toploc` policy are judged. Real engines round in every layer; all of that is
/// put at the end here, in one relative deviation of each value.
struct ForeignEngine {
    let lab: AttackLab
    /// Standard deviation of each value's relative error.
    let noise: Float

    /// What such a worker submits, one group for each lease.
    func generate(_ terms: [LeaseTerms]) throws -> [GroupEvidence] {
        try terms.map(generate)
    }

    /// One sample on its way.
    private struct Course {
        let sequence: SequenceHandle
        let words: NoiseWords
        var tokens: [Int32] = []
        var logProbabilities: [Float] = []
        var rows: [BFloat16Bits] = []
        var isDone = false
    }

    private func generate(_ terms: LeaseTerms) throws -> GroupEvidence {
        let parameters = terms.parameters
        let width = lab.configuration.hiddenSize
        let decoder = Decoder(weights: lab.weights, kernels: lab.kernels, pool: lab.pool)
        let logits = LogitsPass(output: lab.weights.output, kernels: lab.kernels, pool: lab.pool)
        let chooser = TokenChooser(
            kernels: lab.kernels, vocabularySize: lab.configuration.vocabularySize, parameters: parameters)
        let pages = KeyValuePageLayout.pages(for: terms.promptTokens.count + parameters.maximumTokens)
        let cache = KeyValueCache(lab.configuration, maximumPages: (parameters.samples + 1) * pages)
        let prompt = cache.makeSequence()
        var dice = Dice(lab.seed, 5, terms.leaseID)
        let first = try decoder.forward([Segment(prompt, tokens: terms.promptTokens)], cache: cache).values
        var courses = try (0..<parameters.samples).map { index in
            let key = NoiseKey(
                runID: terms.runID, weightsHash: terms.weightsHash, groupID: terms.groupID, sample: UInt32(index))
            return Course(sequence: try cache.fork(prompt), words: key.words)
        }
        var live = Array(courses.indices)
        var values = live.flatMap { _ in first }
        while !live.isEmpty {
            let noisy = Storage(values.map { disturbed($0, &dice) })
            let draws = live.enumerated().map { row, index in
                TokenDraw(
                    row: row, chooser: 0, noise: courses[index].words,
                    position: UInt32(terms.promptTokens.count + courses[index].tokens.count))
            }
            for (row, token) in try logits.draw(draws, [chooser], from: noisy.pointer).enumerated() {
                courses[live[row]].rows += noisy.buffer[row * width..<(row + 1) * width]
                courses[live[row]].tokens.append(token.token)
                courses[live[row]].logProbabilities.append(token.logProbability)
                courses[live[row]].isDone =
                    parameters.stopTokens.contains(token.token)
                    || courses[live[row]].tokens.count == parameters.maximumTokens
            }
            live.removeAll { courses[$0].isDone }
            guard !live.isEmpty else { break }
            let segments = live.map { Segment(courses[$0].sequence, tokens: courses[$0].tokens.suffix(1)) }
            values = try decoder.forward(segments, cache: cache).values
        }
        return try evidence(courses, terms, width)
    }

    /// One value of such an engine, rounded to bf16.
    private func disturbed(_ bits: BFloat16Bits, _ dice: inout Dice) -> BFloat16Bits {
        let value = Float(bitPattern: UInt32(bits) << 16) * (1 + noise * dice.normal())
        let pattern = value.bitPattern
        return BFloat16Bits(truncatingIfNeeded: (pattern &+ 0x7FFF &+ (pattern >> 16 & 1)) >> 16)
    }

    private func evidence(_ courses: [Course], _ terms: LeaseTerms, _ width: Int) throws -> GroupEvidence {
        GroupEvidence(
            terms,
            samples: try courses.enumerated().map { index, course in
                let chunking = Chunking.standard
                let count = course.tokens.count
                var sample = SampleEvidence(
                    tokens: course.tokens,
                    finishReason: course.tokens.last.map(terms.parameters.stopTokens.contains) ?? false
                        ? .stop : .length,
                    logProbabilities: course.logProbabilities, commitments: [], proofs: [])
                for chunk in 0..<chunking.count(forRows: count) {
                    let range = chunking.range(ofChunk: chunk, rows: count)
                    try course.rows[range.lowerBound * width..<range.upperBound * width].withUnsafeBufferPointer {
                        rows in
                        let commitment = try Commitment.make(
                            rows: rows, workerKey: terms.workerKey, groupID: terms.groupID, sample: UInt32(index),
                            chunk: UInt32(chunk))
                        sample.commitments.append(commitment.bytes)
                        sample.proofs.append(try ToplocProof(TopRows(of: rows, count: chunking.topK)).bytes)
                    }
                }
                return sample
            })
    }
}
