import Tensors

/// What a pass over sequences found, one entry per target in the order of the sequences.
public struct TrainingPass: Sendable, Equatable {
    /// The natural log-probability of each target: the sampler's, to the bit, under the same weights.
    public var logProbabilities: [Float]
    /// The entropy of the distribution that each target was drawn from, in nats.
    public var entropies: [Float]
}

/// Forward and backward passes over packed sequences of different lengths.
///
/// Sequences are laid end to end in micro-batches of bounded size; each micro-batch runs forward and backward on one
/// thread without waiting for others. Gradients add up in *lanes*: micro-batch i belongs to lane i mod lanes, lanes run
/// in parallel, and lanes are added in order. So gradients depend on the number of lanes but never on which thread ran
/// what; small models use a fixed number of lanes and are then the same for every number of threads.
///
/// Not thread-safe: one owner calls it.
public final class TrainingGraph {
    /// The result of the last backward pass, shaped as the weights.
    public var gradients: MasterWeights { lanes[0] }
    private let kernels: Kernels
    private let pool: ComputePool
    private let lanes: [MasterWeights]
    private var buffers: [TrainingBuffers?]

    /// Rows that a micro-batch may have, unless one sequence is longer.
    private static let rowLimit = 512
    private static let smallestSplit = 64
    /// Gradients of up to this many elements get a fixed number of lanes.
    private static let smallGradient = 1 << 22
    private static let smallLanes = 4

    /// A graph for a model's shape.
    ///
    /// - Parameter lanes: independent gradient sums; by default 4 for small models, and one per thread for others or
    ///   where there are more threads.
    public init(configuration: ModelConfiguration, kernels: Kernels, pool: ComputePool, lanes: Int? = nil) {
        self.kernels = kernels
        self.pool = pool
        let layout = ParameterLayout(configuration)
        let usual = layout.elementCount <= Self.smallGradient ? max(Self.smallLanes, pool.threads) : pool.threads
        self.lanes = (0..<max(1, lanes ?? usual)).map { _ in MasterWeights(layout: layout) }
        buffers = Array(repeating: nil, count: pool.threads)
    }

    /// Computes log-probabilities and overwrites ``gradients`` with the derivative of the loss.
    ///
    /// - Parameters:
    ///   - sequences: at least one target each, or they are passed over; every token inside the vocabulary.
    ///   - weights: the bf16 weights.
    ///   - temperature: what logits are divided by, above 0.
    ///   - slope: the derivative of the loss with respect to one target's log-probability. Called from several threads
    ///     at once, once per target.
    public func run(
        _ sequences: [TrainingSequence], weights: ModelWeights, temperature: Float = 1,
        slope: (_ target: Int, _ logProbability: Float) -> Float
    ) -> TrainingPass {
        let rows = sequences.reduce(0) { $0 + $1.inputCount }
        let share = (rows + lanes.count - 1) / lanes.count
        let batches = MicroBatch.pack(sequences, limit: max(Self.smallestSplit, min(Self.rowLimit, share)))
        let found = TargetStorage(count: sequences.reduce(0) { $0 + $1.targetCount })
        prepareBuffers(for: batches, weights.configuration)
        pool.run(lanes.count) { lane, thread in
            let gradients = lanes[lane]
            gradients.values.pointer.update(repeating: 0, count: gradients.values.count)
            guard let memory = buffers[thread] else { return }
            for index in stride(from: lane, to: batches.count, by: lanes.count) {
                TrainingForward(weights: weights, kernels: kernels, buffers: memory).run(batches[index], of: sequences)
                OutputBackward(
                    weights: weights, kernels: kernels, buffers: memory, gradients: gradients, temperature: temperature
                ).run(batches[index], of: sequences, slope: slope, into: found)
                TrainingBackward(weights: weights, buffers: memory, gradients: gradients).run(batches[index])
            }
        }
        addLanes()
        return TrainingPass(
            logProbabilities: Array(found.logProbabilities.buffer), entropies: Array(found.entropies.buffer))
    }

    /// Computes log-probabilities and entropies without any gradient.
    public func score(_ sequences: [TrainingSequence], weights: ModelWeights, temperature: Float = 1) -> TrainingPass {
        let batches = MicroBatch.pack(sequences, limit: Self.rowLimit)
        let found = TargetStorage(count: sequences.reduce(0) { $0 + $1.targetCount })
        prepareBuffers(for: batches, weights.configuration)
        pool.run(batches.count) { index, thread in
            guard let memory = buffers[thread] else { return }
            TrainingForward(weights: weights, kernels: kernels, buffers: memory).run(batches[index], of: sequences)
            OutputBackward(
                weights: weights, kernels: kernels, buffers: memory, gradients: nil, temperature: temperature
            ).run(batches[index], of: sequences, slope: { _, _ in 0 }, into: found)
        }
        return TrainingPass(
            logProbabilities: Array(found.logProbabilities.buffer), entropies: Array(found.entropies.buffer))
    }

    /// Makes sure that every thread has memory for the largest micro-batch and the longest sequence.
    private func prepareBuffers(for batches: [MicroBatch], _ configuration: ModelConfiguration) {
        let rows = batches.reduce(0) { max($0, $1.rowCount) }
        let longest = batches.reduce(0) { $1.parts.reduce($0) { max($0, $1.rows.count) } }
        guard rows > 0 else { return }
        for thread in buffers.indices {
            if let memory = buffers[thread], memory.rows >= rows, memory.longest >= longest { continue }
            buffers[thread] = TrainingBuffers(
                configuration, rows: max(rows, buffers[thread]?.rows ?? 0),
                longest: max(longest, buffers[thread]?.longest ?? 0))
        }
    }

    private func addLanes() {
        let count = gradients.values.count
        let block = 1 << 14
        pool.run((count + block - 1) / block) { task, _ in
            let start = task * block
            for lane in lanes.dropFirst() {
                TrainingKernels.add(
                    gradients.values.pointer + start, lane.values.pointer + start, count: min(block, count - start))
            }
        }
    }
}
