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
/// Sequences are laid end to end in micro-batches of bounded size, without padding. A ``TrainingPlan`` says how threads
/// divide the work: either *lanes*, where micro-batch i belongs to lane i mod lanes, each micro-batch runs on one thread
/// and lanes are added in order; or a *crew*, where all threads share one micro-batch at a time and there is one sum of
/// gradients. Gradients never depend on which thread ran what.
///
/// Not thread-safe: one owner calls it.
public final class TrainingGraph {
    /// How the passes use threads, memory and precision.
    public let plan: TrainingPlan
    /// The result of the last backward pass, laid out as what learns: the weights, or the adapter.
    public var gradientValues: Storage<Float> { lanes[0].values }
    /// The result of the last backward pass, shaped as the weights, of a graph that trains all of them.
    public var gradients: MasterWeights {
        guard case .model(let sum) = lanes[0] else { preconditionFailure("the graph trains an adapter") }
        return sum
    }
    /// The result of the last backward pass, shaped as the adapter, of a graph that trains one.
    public var adapterGradients: AdapterWeights {
        guard case .adapter(let sum) = lanes[0] else { preconditionFailure("the graph trains all weights") }
        return sum
    }
    private let kernels: Kernels
    private let pool: ComputePool
    private let lanes: [GradientSum]
    /// Where the derivatives of frozen vectors go, one for each lane of an adapter.
    private let discarded: [Storage<Float>]
    /// One for each thread, or one for the crew.
    private var buffers: [TrainingBuffers?]

    private static let smallestSplit = 64

    /// A graph for a model's shape.
    ///
    /// - Parameters:
    ///   - adapter: what learns instead of the weights.
    ///   - plan: by default the usual one for the model's size.
    public init(
        configuration: ModelConfiguration, adapter: AdapterLayout? = nil, kernels: Kernels, pool: ComputePool,
        plan: TrainingPlan? = nil
    ) {
        let plan = plan ?? TrainingPlan(for: configuration, threads: pool.threads)
        self.kernels = kernels
        self.pool = pool
        self.plan = plan
        let layout = ParameterLayout(configuration)
        let longestVector = layout.slices.reduce(0) { $1.isVector ? max($0, $1.count) : $0 }
        lanes = (0..<max(1, plan.lanes)).map { _ in
            adapter.map { .adapter(AdapterWeights(layout: $0)) } ?? .model(MasterWeights(layout: layout))
        }
        discarded = adapter == nil ? [] : lanes.map { _ in Storage(count: longestVector) }
        buffers = Array(repeating: nil, count: plan.lanes == 0 ? 1 : pool.threads)
    }

    /// Computes log-probabilities and overwrites ``gradientValues`` with the derivative of the loss.
    ///
    /// - Parameters:
    ///   - sequences: at least one target each, or they are passed over; every token inside the vocabulary.
    ///   - weights: the bf16 weights, an adapter merged into them.
    ///   - adapter: the factors that were merged, where the graph trains an adapter.
    ///   - temperature: what logits are divided by, above 0.
    ///   - sharing: whether a prompt that several sequences begin with is computed once, where the precision is bf16.
    ///   - slope: the derivative of the loss with respect to one target's log-probability. Called from several threads
    ///     at once, once per target.
    public func run(
        _ sequences: [TrainingSequence], weights: ModelWeights, adapter: AdapterFactors? = nil, temperature: Float = 1,
        sharing: Bool = true, slope: (_ target: Int, _ logProbability: Float) -> Float
    ) -> TrainingPass {
        let found = TargetStorage(count: sequences.reduce(0) { $0 + $1.targetCount })
        let batches = MicroBatch.pack(sequences, limit: rowLimit(sequences), sharing: sharing && canShare)
        prepareBuffers(for: batches, weights.configuration)
        let targets = targets(adapter)
        func train(_ batch: MicroBatch, _ crew: TrainingCrew, _ memory: TrainingBuffers, _ target: GradientTarget) {
            let forward = TrainingForward(crew: crew, weights: weights, kernels: kernels, buffers: memory)
            forward.run(batch, of: sequences)
            OutputBackward(forward: forward, temperature: temperature)
                .run(batch, of: sequences, target: target, slope: slope, into: found)
            TrainingBackward(forward: forward, target: target).run(batch)
        }
        if plan.lanes == 0, let memory = buffers[0], let first = batches.first {
            prepareGradients(weights.layout)
            train(first, TrainingCrew(sharing: pool), memory, targets[0].overwriting)
            for batch in batches.dropFirst() { train(batch, TrainingCrew(sharing: pool), memory, targets[0]) }
        } else {
            clearGradients()
            pool.run(lanes.count) { lane, thread in
                guard let memory = buffers[thread] else { return }
                for index in stride(from: lane, to: batches.count, by: lanes.count) {
                    train(batches[index], .alone, memory, targets[lane])
                }
            }
            addLanes()
        }
        return found.pass
    }

    /// Computes log-probabilities and entropies without any gradient.
    public func score(_ sequences: [TrainingSequence], weights: ModelWeights, temperature: Float = 1) -> TrainingPass {
        let batches = MicroBatch.pack(sequences, limit: plan.rows, sharing: canShare)
        let found = TargetStorage(count: sequences.reduce(0) { $0 + $1.targetCount })
        prepareBuffers(for: batches, weights.configuration)
        func score(_ batch: MicroBatch, _ crew: TrainingCrew, _ memory: TrainingBuffers) {
            let forward = TrainingForward(crew: crew, weights: weights, kernels: kernels, buffers: memory)
            forward.run(batch, of: sequences)
            OutputBackward(forward: forward, temperature: temperature)
                .run(batch, of: sequences, target: nil, slope: { _, _ in 0 }, into: found)
        }
        if plan.lanes == 0 {
            guard let memory = buffers[0] else { return found.pass }
            for batch in batches { score(batch, TrainingCrew(sharing: pool), memory) }
        } else {
            pool.run(batches.count) { index, thread in
                if let memory = buffers[thread] { score(batches[index], .alone, memory) }
            }
        }
        return found.pass
    }

    /// Whether a prompt is computed once for all sequences that begin with it: not where products are in f32, which is for
    /// small models, whose attention's backward pass takes whole sequences.
    private var canShare: Bool { plan.precision == .bfloat16 }

    /// Rows of a micro-batch: lanes want one each at least, a crew wants few and large ones.
    private func rowLimit(_ sequences: [TrainingSequence]) -> Int {
        guard plan.lanes > 0 else { return plan.rows }
        let rows = sequences.reduce(0) { $0 + $1.inputCount }
        let share = (rows + lanes.count - 1) / lanes.count
        return max(Self.smallestSplit, min(plan.rows, share))
    }

    /// Makes sure that there is memory for the largest micro-batch and the longest sequence.
    private func prepareBuffers(for batches: [MicroBatch], _ configuration: ModelConfiguration) {
        let needed = batches.reduce(TrainingBuffers.Size()) { $0.union($1.size) }
        guard needed.rows > 0 else { return }
        for index in buffers.indices {
            let size = buffers[index]?.size ?? TrainingBuffers.Size()
            if buffers[index] != nil, size.covers(needed) { continue }
            buffers[index] = nil
            buffers[index] = TrainingBuffers(
                configuration, size: size.union(needed), plan: plan, threads: plan.lanes == 0 ? pool.threads : 1)
        }
    }

    /// What each lane adds to in this pass.
    private func targets(_ adapter: AdapterFactors?) -> [GradientTarget] {
        let operands = adapter.map { AdapterOperands($0, precision: plan.precision) }
        return lanes.enumerated().map { lane, sum in
            switch (sum, operands) {
            case (.model(let weights), nil): return .model(weights, adding: true)
            case (.adapter(let weights), let operands?) where weights.layout == operands.factors.layout:
                return .adapter(AdapterBackward(operands: operands, sums: weights, discarded: discarded[lane]))
            default: preconditionFailure("the pass and the graph disagree about what learns")
            }
        }
    }

    /// Elements that one task clears or adds.
    private static let block = 1 << 16

    /// Clears what a first micro-batch adds to: all but the matrices, whose first products overwrite.
    private func prepareGradients(_ layout: ParameterLayout) {
        guard case .model(let sums) = lanes[0] else { return clearGradients() }
        for slice in layout.slices where slice.isVector { sums[slice].update(repeating: 0) }
        guard layout.outputProjection != nil else { return }
        let table = sums[layout.embedding]
        pool.run((table.count + Self.block - 1) / Self.block) { task, _ in
            table[task * Self.block..<min((task + 1) * Self.block, table.count)].update(repeating: 0)
        }
    }

    private func clearGradients() {
        let count = gradientValues.count
        pool.run(lanes.count * ((count + Self.block - 1) / Self.block)) { task, _ in
            let start = task / lanes.count * Self.block
            (lanes[task % lanes.count].values.pointer + start)
                .update(repeating: 0, count: min(Self.block, count - start))
        }
    }

    private func addLanes() {
        let count = gradientValues.count
        pool.run((count + Self.block - 1) / Self.block) { task, _ in
            let start = task * Self.block
            for lane in lanes.dropFirst() {
                TrainingKernels.add(
                    gradientValues.pointer + start, lane.values.pointer + start,
                    count: min(Self.block, count - start))
            }
        }
    }
}
