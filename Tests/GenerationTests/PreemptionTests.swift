import Identity
import Sampling
import Tensors
import Testing
import Transformer

@testable import Generation

/// Little memory, random lengths, limits, cancels and versions: every group is bit for bit the one that ran alone.
@Suite struct PreemptionTests {
    static let versions = 3
    let weights: [ModelWeights]
    let model: TestModel
    let requests: [GroupRequest]
    /// Every group alone, by version.
    let alone: [[Hash256: GroupResult]]

    init() throws {
        let models = try (3..<3 + UInt64(Self.versions)).map { try TestModel(seed: $0) }
        model = models[0]
        weights = models.map(\.weights)
        let requests = (0..<40).map {
            TestModel.request(
                $0, samples: 1 + $0 % 9, maximumTokens: 1 + ($0 * 11) % 90, prompt: 1 + ($0 * 17) % 80)
        }
        self.requests = requests
        alone = try models.map { model in
            var results: [Hash256: GroupResult] = [:]
            for request in requests { results[request.groupID] = try Self.alone(request, model) }
            return results
        }
    }

    private static func alone(_ request: GroupRequest, _ model: TestModel) throws -> GroupResult {
        let engine = try model.engine(sequences: 512, pages: 8192)
        try engine.add(request)
        return try #require(try engine.finish().first)
    }

    private func engine(_ limits: GenerationLimits) throws -> GenerationEngine {
        let engine = GenerationEngine(
            configuration: TestModel.configuration, kernels: model.kernels, pool: model.pool,
            context: GenerationContext(runID: TestModel.runID, workerKey: try TestModel.key()), limits: limits)
        for (version, weights) in weights.enumerated() { try engine.adopt(weights, version: UInt64(version)) }
        return engine
    }

    @Test func nothingChangesAndNothingBlocks() throws {
        var preemptions: UInt64 = 0
        var groups = 0
        for seed in 0..<600 {
            var random = RandomNumbers(seed: seed)
            let engine = try engine(
                GenerationLimits(
                    sequences: 1 + random.next(24), pages: 11 + random.next(40), promptRows: 1 + random.next(70)))
            groups += try simulate(engine, random)
            preemptions += engine.preemptions
            #expect(engine.cache.usedPages == 0 && engine.cache.sequenceCount == 0)
        }
        #expect(
            groups > 4000 && preemptions > 1500, "\(groups) groups, \(preemptions) preemptions: too little happened")
    }

    /// Runs some of the groups to their end; returns how many were finished.
    private func simulate(_ engine: GenerationEngine, _ start: RandomNumbers) throws -> Int {
        var random = start
        var waiting = requests.dropFirst(random.next(25)).prefix(5 + random.next(20))
        var expected: [Hash256: UInt64] = [:]
        var done: Set<Hash256> = []
        var steps = 0
        while !waiting.isEmpty || !engine.isIdle {
            for request in waiting.prefix(random.next(4)) {
                waiting = waiting.dropFirst()
                expected[request.groupID] = UInt64(random.next(Self.versions))
                try engine.add(request, version: expected[request.groupID] ?? 0)
            }
            if random.next(50) == 0, let victim = expected.keys.filter({ !done.contains($0) }).min() {
                #expect(engine.cancel(victim))
                #expect(!engine.cancel(victim))
                expected[victim] = nil
            }
            for result in try engine.step() {
                #expect(result.version == expected[result.groupID])
                #expect(done.insert(result.groupID).inserted)
                // The version apart, which alone is always 0.
                #expect(result.samples == alone[Int(result.version)][result.groupID]?.samples)
            }
            #expect(engine.cache.usedPages <= engine.limits.pages)
            #expect(engine.cache.sequenceCount == engine.lanes.reduce(0) { $0 + $1.active.count })
            for lane in engine.lanes {
                #expect(lane.active.filter { $0.sample != nil }.count <= engine.limits.sequences)
            }
            steps += 1
            try #require(steps < 100_000, "the engine makes no progress")
        }
        #expect(done == Set(expected.keys))
        return done.count
    }

    /// Samples that end early leave most of their worst case unused: more run at once than have room for it.
    @Test func moreThanTheWorstCaseRuns() throws {
        let engine = try model.engine(pages: 40)
        // The worst case of each is 14 pages; with these stop tokens few get beyond three.
        for number in 0..<8 { try engine.add(TestModel.request(number, samples: 4, maximumTokens: 200, prompt: 20)) }
        var most = 0
        while !engine.isIdle {
            _ = try engine.step()
            most = max(most, engine.activeSequences)
        }
        #expect(most >= 8)
    }

    /// A long prompt takes several steps, in which the others go on.
    @Test func longPromptsKeepNobodyWaiting() throws {
        let engine = GenerationEngine(
            weights: weights[0], kernels: model.kernels, pool: model.pool,
            context: GenerationContext(runID: TestModel.runID, workerKey: try TestModel.key()),
            limits: GenerationLimits(sequences: 8, pages: 512, promptRows: 10))
        var talker = TestModel.request(1, samples: 1, maximumTokens: 60, prompt: 5)
        talker.parameters.stopTokens = []
        try engine.add(talker)
        _ = try engine.step()
        let long = TestModel.request(3, samples: 2, maximumTokens: 5, prompt: 95)
        try engine.add(long)
        for step in 1...9 {
            #expect(try engine.step().isEmpty)
            #expect(engine.tokensGenerated(in: talker.groupID) == 1 + step)
            #expect(engine.tokensGenerated(in: long.groupID) == 0)
        }
        _ = try engine.step()
        #expect(engine.tokensGenerated(in: long.groupID) == 2)
        let expected = try Self.alone(long, model)
        #expect(try engine.finish().first { $0.groupID == long.groupID } == expected)
    }

    /// Where memory suffices, nothing is computed twice.
    @Test func nothingIsRecomputedWithoutNeed() throws {
        let engine = try model.engine(sequences: 512, pages: 4096)
        for request in requests { try engine.add(request) }
        _ = try engine.finish()
        #expect(engine.preemptions == 0 && engine.positionsRecomputed == 0)
    }

    @Test func versionsComeAndGo() throws {
        let engine = try engine(GenerationLimits(sequences: 8, pages: 512))
        #expect(throws: GenerationError.self) { try engine.adopt(weights[0], version: 1) }
        #expect(throws: GenerationError.self) { try engine.add(requests[0], version: 7) }
        try engine.add(requests[0], version: 1)
        #expect(engine.retire(1) == nil, "it has work")
        #expect(engine.retire(0) != nil && engine.versions == [1, 2])
        #expect(try engine.finish().map(\.version) == [1])
        #expect(engine.retire(1) != nil && engine.retire(1) == nil)
        try engine.adopt(weights[0], version: 0)
        #expect(engine.versions == [0, 2])
    }
}
