import Foundation
import Tensors
import Testing
import Transformer

@testable import Training

/// Training an adapter of a frozen model.
@Suite("Adapter training") struct AdapterTrainingTests {
    private static let configuration = PolicyTrainerTests.configuration
    private let kernels: Kernels
    private let pool = ComputePool(threads: 2)

    init() throws { kernels = try Kernels.preferred() }

    private func base(_ seed: UInt64 = 3) throws -> ModelWeights {
        // Frozen embeddings of a new model could not say anything with confidence.
        let master = ModelInitializer.random(Self.configuration, seed: seed)
        let embedding = master[master.layout.embedding]
        for index in embedding.indices { embedding[index] *= 40 }
        return try ModelWeights(master: master, kernels: kernels, pool: pool)
    }

    private func state(
        base seed: UInt64 = 3, rank: Int = 3, alpha: Double = 6, targets: [String] = AdapterTarget.names
    ) throws -> AdapterState {
        let base = try base(seed)
        let layout = try AdapterLayout(
            try AdapterConfiguration(rank: rank, alpha: alpha, targets: targets), base: base.layout)
        return try AdapterState(
            adapter: AdapterInitializer.random(layout, seed: 5), base: base, kernels: kernels)
    }

    private func warmUp(_ state: any TrainedState) throws -> SupervisedWarmUp {
        try SupervisedWarmUp(
            state: state,
            settings: SupervisedSettings(
                schedule: LearningRateSchedule(peak: 2e-2, warmUpSteps: 2), optimizer: AdamWSettings(weightDecay: 0)),
            kernels: kernels, pool: pool)
    }

    private let rows = (0..<6).map { row in
        let completion: [Int32] = (0..<5).map { place in Int32(5 + (row + place) % 3) }
        return Demonstration(prompt: [1, 2, Int32(3 + row)], completion: completion)
    }

    private func bits(_ state: any TrainedState) -> [UInt32] {
        let arrays = state.arrays
        return [arrays.parameters, arrays.firstMoments, arrays.secondMoments].flatMap { $0.buffer.map(\.bitPattern) }
    }

    @Test("imitation falls, only adapted matrices move, and a worker's merge has the trainer's bits")
    func learning() throws {
        let state = try state(targets: ["q_proj", "v_proj", "down_proj"])
        let start = try base()
        let warmUp = try warmUp(state)
        #expect(warmUp.weights.weightsHash == start.weightsHash)
        let first = try warmUp.step(rows).loss
        var last = first
        for _ in 0..<25 { last = try warmUp.step(rows).loss }
        #expect(last < 0.5 * first, "\(first) to \(last)")
        let adapted = Set(state.adapter.layout.pairs.map(\.weight.name))
        for slice in start.layout.slices {
            let isSame = start.tensor(named: slice.name) == warmUp.weights.tensor(named: slice.name)
            #expect(isSame != adapted.contains(slice.name), "\(slice.name)")
        }

        let folder = NSTemporaryDirectory() + "apus-lora-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try start.write(directory: "\(folder)/base", generation: GenerationConfiguration(stopTokens: [0]))
        try AdapterDirectory.write(
            to: "\(folder)/adapter", configuration: state.factors.configuration, tensors: state.factors.sources)
        let merged = try ModelDirectory(opening: "\(folder)/base").weights(
            adapter: try AdapterDirectory(opening: "\(folder)/adapter"), kernels: kernels, pool: pool)
        #expect(merged.weightsHash == warmUp.weights.weightsHash && merged.weightsHash != start.weightsHash)
    }

    @Test("reinforcement sees its own log-probabilities: on-policy ratios are exactly one")
    func reinforcement() throws {
        let trainer = try PolicyTrainer(
            state: try state(), settings: PolicySettings(), kernels: kernels, pool: pool)
        let graph = trainer.state.makeGraph(kernels: kernels, pool: pool, plan: nil)
        for step in 1...3 {
            let prompt: [Int32] = [1, 2, 3]
            let completions: [[Int32]] = (0..<4).map { sample in
                (0..<6).map { place in Int32(4 + (sample * 3 + place * (step + 1)) % 7) }
            }
            let sequences = completions.map { TrainingSequence(prompt: prompt, completion: $0) }
            let scores = graph.score(sequences, weights: trainer.weights).logProbabilities
            let rollouts = completions.enumerated().map { index, completion in
                TrainingRollout(
                    completion: completion, behaviorLogProbabilities: Array(scores[6 * index..<6 * index + 6]),
                    reward: index % 2 == 0 ? 1 : 0)
            }
            let metrics = try trainer.step(
                TrainingBatch(
                    step: step, groups: [TrainingGroup(prompt: prompt, rollouts: rollouts, version: step - 1)]))
            #expect(metrics.outcome == .applied && metrics.offPolicyKL == 0 && metrics.gradientNorm > 0)
        }
    }

    @Test("training on from a checkpoint equals never having stopped, to the bit")
    func resuming() throws {
        let folder = NSTemporaryDirectory() + "apus-lora-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = CheckpointStore(directory: folder)
        let straight = try warmUp(try state())
        for step in 1...8 {
            try straight.step(rows)
            if step == 4 { try store.save(straight.state, notes: ["batch": "4"]) }
        }
        let again = try state()
        let (notes, ignored) = try store.loadNewest(into: again)
        #expect(notes == ["batch": "4"] && ignored.isEmpty && again.step == 4)
        let resumed = try warmUp(again)
        for _ in 5...8 { try resumed.step(rows) }
        #expect(bits(resumed.state) == bits(straight.state))
        #expect(resumed.weights.weightsHash == straight.weights.weightsHash)
        // A lab opens a checkpoint in PEFT.
        let opened = try AdapterDirectory(opening: store.folder(ofStep: 4))
        #expect(opened.configuration.rank == 3)
    }

    @Test("a checkpoint of something else is passed over with a reason, and the state stays as it was")
    func foreignCheckpoints() throws {
        let folder = NSTemporaryDirectory() + "apus-lora-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = CheckpointStore(directory: folder)
        try store.save(try state())
        func refusal(_ state: any TrainedState) throws -> String {
            let before = bits(state)
            let (notes, ignored) = try store.loadNewest(into: state)
            #expect(notes == nil && ignored.count == 1 && bits(state) == before && state.step == 0)
            return ignored.first ?? ""
        }
        #expect(try refusal(state(rank: 4)).contains("parameters"))
        #expect(try refusal(state(base: 4)).contains("frozen weights"))
        #expect(try refusal(state(alpha: 7)).contains("alpha"))
        #expect(
            try refusal(TrainingState(master: ModelInitializer.random(Self.configuration, seed: 3)))
                .contains("parameters"))
        #expect(try store.loadNewest(into: state()).notes != nil)

        // One decayed byte, one missing file.
        let path = store.folder(ofStep: 0) + "/adapter_model.safetensors"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        bytes[bytes.count - 3] ^= 1
        try bytes.write(to: URL(fileURLWithPath: path))
        #expect(try refusal(state()).contains("decayed"))
        try FileManager.default.removeItem(atPath: store.folder(ofStep: 0) + "/adapter_config.json")
        #expect(try refusal(state()).contains("adapter_config.json"))
    }
}
