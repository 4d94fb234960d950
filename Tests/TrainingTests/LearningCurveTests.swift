import EnvironmentKit
import Foundation
import Tensors
import Testing

@testable import Training
@testable import Transformer

/// The demo's whole curve in one process: `APUS_LEARNING_CURVE=0,1,2 swift test -c release --filter LearningCurve`.
@Suite struct LearningCurveTests {
    static let seeds = (ProcessInfo.processInfo.environment["APUS_LEARNING_CURVE"] ?? "")
        .split(separator: ",").compactMap { UInt64($0) }
    static let staleness = Int(ProcessInfo.processInfo.environment["APUS_STALENESS"] ?? "1") ?? 1
    static let learningRate = Double(ProcessInfo.processInfo.environment["APUS_LR"] ?? "") ?? 7e-4
    static let clipNorm = Double(ProcessInfo.processInfo.environment["APUS_CLIP"] ?? "") ?? 0.1
    static let warmUpSteps = Int(ProcessInfo.processInfo.environment["APUS_WARM_UP"] ?? "") ?? 1000
    static let coolDown = Int(ProcessInfo.processInfo.environment["APUS_COOL_DOWN"] ?? "") ?? 0
    static let threads = Int(ProcessInfo.processInfo.environment["APUS_THREADS"] ?? "2") ?? 2

    @Test(.enabled(if: !seeds.isEmpty), arguments: seeds)
    func warmUpAndReinforcementFollowTheDemo(_ seed: UInt64) throws {
        let kernels = try Kernels.preferred()
        let pool = ComputePool(threads: Self.threads)
        let master = ModelInitializer.random(ModelShape.nano.configuration, seed: seed)
        let clock = ContinuousClock()
        var warmUpLosses: [Double] = []
        let warmUpTime = try clock.measure {
            var settings = SupervisedSettings()
            if Self.coolDown > 0 {
                settings.schedule.coolDown = Self.warmUpSteps - Self.coolDown..<Self.warmUpSteps + 1
            }
            let warmUp = try SupervisedWarmUp(
                state: TrainingState(master: master), settings: settings, kernels: kernels, pool: pool)
            try warmUp.run(Demonstrations(seed: seed), steps: Self.warmUpSteps) { warmUpLosses.append($0.loss) }
        }
        let settings = PolicySettings(
            schedule: LearningRateSchedule(peak: Self.learningRate, warmUpSteps: 5),
            clipping: GradientClipping(maximumNorm: Self.clipNorm))
        let trainer = try PolicyTrainer(
            state: TrainingState(master: master), settings: settings, kernels: kernels, pool: pool)
        let sampler = Sampler(kernels: kernels, pool: pool)
        var history = [try ModelWeights(master: master, kernels: kernels, pool: pool)]
        var curve: [String] = []
        func evaluate(_ count: Int, temperature: Float, stream: UInt64) throws -> Double {
            var random = SplitMix64(stream: 0xE7A1, stream)
            let problems = (0..<count).map { _ in DigitSortTask.digits(&random, .heldOut) }
            let samples = sampler.sample(
                problems.map { ($0, 1) }, weights: trainer.weights, temperature: temperature, seed: seed &+ stream)
            return zip(samples, problems).reduce(0) { $0 + DigitSortTask.reward($1.0[0].completion, $1.1) }
                / Double(count)
        }
        let greedyBefore = try evaluate(512, temperature: 0, stream: 1)
        var random = SplitMix64(stream: seed, 0x524C)
        var trainTime = Duration.zero
        var sampleTime = Duration.zero
        var last: StepMetrics?
        for step in 1...60 {
            if (step - 1) % 5 == 0 {
                curve.append(String(format: "%.2f", try evaluate(256, temperature: 1, stream: UInt64(100 + step))))
            }
            let version = max(0, step - 1 - Self.staleness)
            let problems = (0..<64).map { _ in DigitSortTask.digits(&random, .train) }
            var samples: [[TrainingRollout]] = []
            sampleTime += clock.measure {
                samples = sampler.sample(
                    problems.map { ($0, 8) }, weights: history[version], temperature: 1,
                    seed: seed &* 1000 &+ UInt64(step))
            }
            let groups = zip(problems, samples).map { digits, rollouts in
                TrainingGroup(prompt: DigitSortTask.prompt(digits), rollouts: rollouts, version: version)
            }
            let metrics = try trainer.step(TrainingBatch(step: step, groups: groups))
            trainTime += .seconds(metrics.seconds)
            last = metrics
            history.append(try trainer.state.makeWeights(kernels: kernels, pool: pool))
            #expect(metrics.mismatchKL == 0)
            if Self.staleness == 0 { #expect(metrics.offPolicyKL == 0) }
            if step % 10 == 0 {
                print(
                    "seed \(seed) step \(step)",
                    metrics.named.map { "\($0.name) \(String(format: "%.4g", $0.value))" }.joined(separator: " "))
            }
        }
        let greedy = try evaluate(512, temperature: 0, stream: 2)
        let final = try evaluate(512, temperature: 1, stream: 3)
        curve.append(String(format: "%.2f", try evaluate(256, temperature: 1, stream: 161)))
        print(
            "CURVE seed \(seed): \(curve.joined(separator: " ")) | final \(final) greedy \(greedyBefore) -> \(greedy)")
        print(
            "TIME seed \(seed): warm-up \(warmUpTime) (loss \(warmUpLosses.last ?? 0)), training \(trainTime), sampling",
            "\(sampleTime), last step \(last?.seconds ?? 0) s")
        #expect(final >= 0.85 && greedy >= 0.95)
    }

    struct Demonstrations: DemonstrationSource {
        let seed: UInt64
        func demonstrations(at step: Int) -> [Demonstration] {
            var random = SplitMix64(stream: seed, 0x5F54, UInt64(step))
            return (0..<64).map { _ in
                let digits = DigitSortTask.digits(&random, .train)
                return Demonstration(
                    prompt: DigitSortTask.prompt(digits), completion: DigitSortTask.demonstration(digits, &random))
            }
        }
    }
}

/// Samples by recomputing whole sequences with the training forward pass: slow, and independent of the decoder.
final class Sampler {
    private let kernels: Kernels
    private let pool: ComputePool
    private var buffers: [TrainingBuffers]

    init(kernels: Kernels, pool: ComputePool) {
        self.kernels = kernels
        self.pool = pool
        buffers = (0..<pool.threads).map { _ in
            TrainingBuffers(
                ModelShape.nano.configuration, size: TrainingBuffers.Size(rows: 512, longest: 64, pages: 512),
                plan: TrainingPlan(lanes: 1, precision: .float32), threads: 1)
        }
    }

    func sample(
        _ problems: [(digits: [Int32], count: Int)], weights: ModelWeights, temperature: Float, seed: UInt64
    ) -> [[TrainingRollout]] {
        struct Row {
            var tokens: [Int32]
            var promptCount: Int
            var digits: [Int32]
            var logProbabilities: [Float] = []
            var noise: NoiseWords?
            var isDone = false
        }
        var rows: [Row] = []
        for (digits, count) in problems {
            let prompt = DigitSortTask.prompt(digits)
            for _ in 0..<count {
                var random = SplitMix64(stream: seed, UInt64(rows.count))
                let material = [random.next(), random.next()].flatMap { word in
                    (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * UInt64($0))) }
                }
                rows.append(
                    Row(
                        tokens: prompt, promptCount: prompt.count, digits: digits, noise: NoiseWords(material: material)
                    ))
            }
        }
        for _ in 0..<10 {
            let active = rows.indices.filter { !rows[$0].isDone }
            let sequences = active.map {
                TrainingSequence(tokens: rows[$0].tokens + [0], firstTarget: rows[$0].tokens.count)
            }
            let batches = MicroBatch.pack(sequences, limit: 512)
            let chosen = Storage<Int32>(count: active.count)
            let found = Storage<Float>(count: active.count)
            let vocabulary = weights.configuration.vocabularySize
            pool.run(batches.count) { index, thread in
                let memory = buffers[thread]
                TrainingForward(crew: .alone, weights: weights, kernels: kernels, buffers: memory)
                    .run(batches[index], of: sequences)
                let hidden = weights.configuration.hiddenSize
                for (target, part) in batches[index].parts.enumerated() {
                    kernels.matmul(
                        memory.outputNormed.pointer + target * hidden, stride: hidden, rows: 1, by: weights.output,
                        into: memory.output.logits.pointer, outStride: vocabulary)
                    let row = rows[active[part.sequence]]
                    guard let noise = row.noise else { continue }
                    let choice = kernels.gumbelArgmax(
                        memory.output.logits.pointer, count: vocabulary, temperature: temperature, noise: noise,
                        position: UInt32(row.tokens.count))
                    chosen.pointer[part.sequence] = choice.token
                    found.pointer[part.sequence] = kernels.vocabularySum(
                        memory.output.logits.pointer, count: vocabulary, temperature: temperature
                    ).logProbability(ofLogit: choice.logit)
                }
            }
            for (index, row) in active.enumerated() {
                rows[row].tokens.append(chosen.pointer[index])
                rows[row].logProbabilities.append(found.pointer[index])
                rows[row].isDone = chosen.pointer[index] == DigitSortTask.end
            }
        }
        var next = rows.makeIterator()
        return problems.map { digits, count in
            (0..<count).compactMap { _ in
                next.next().map { row in
                    let completion = Array(row.tokens.dropFirst(row.promptCount))
                    return TrainingRollout(
                        completion: completion, behaviorLogProbabilities: row.logProbabilities,
                        reward: DigitSortTask.reward(completion, row.digits))
                }
            }
        }
    }
}
