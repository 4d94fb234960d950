import Identity
import Sampling
import Tensors
import Testing
import Transformer

@testable import Generation

/// Bounds, cancelling and refusals.
@Suite struct AdmissionTests {
    let model: TestModel

    init() throws { model = try TestModel() }

    /// Random limits, additions and cancellations: bounds hold at every step, and nothing is lost or blocked.
    @Test func boundsHoldAndNothingBlocks() throws {
        var reference: [Hash256: GroupResult] = [:]
        let all = try model.engine(sequences: 256, pages: 4096)
        let requests = (0..<60).map { TestModel.request($0, samples: 1 + $0 % 9, maximumTokens: 1 + ($0 * 11) % 45) }
        for request in requests { try all.add(request) }
        for result in try all.finish() { reference[result.groupID] = result }
        var state: UInt64 = 5
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        for _ in 0..<15 {
            let engine = try model.engine(sequences: 1 + next(12), pages: 9 + next(30))
            var expected: Set<Hash256> = []
            var waiting = requests[...]
            var done: Set<Hash256> = []
            var steps = 0
            while !waiting.isEmpty || !engine.isIdle {
                for request in waiting.prefix(next(4)) {
                    try engine.add(request)
                    expected.insert(request.groupID)
                    waiting = waiting.dropFirst()
                }
                if next(6) == 0, let victim = expected.subtracting(done).sorted().first {
                    #expect(engine.cancel(victim))
                    #expect(!engine.cancel(victim))
                    expected.remove(victim)
                }
                for result in try engine.step() {
                    #expect(result == reference[result.groupID])
                    #expect(expected.contains(result.groupID) && done.insert(result.groupID).inserted)
                }
                #expect(engine.activeSequences <= engine.limits.sequences)
                #expect(engine.cache.usedPages <= engine.reservedPages)
                #expect(engine.reservedPages <= engine.limits.pages)
                steps += 1
                try #require(steps < 100_000, "the engine makes no progress")
            }
            #expect(done == expected)
            #expect(engine.cache.usedPages == 0 && engine.reservedPages == 0 && engine.cache.sequenceCount == 0)
        }
    }

    @Test func groupsAreHandedOnAtOnce() throws {
        let engine = try model.engine()
        try engine.add(TestModel.request(0, samples: 2, maximumTokens: 40))
        try engine.add(TestModel.request(1, samples: 2, maximumTokens: 1))
        let first = try engine.step()
        #expect(first.map(\.groupID) == [TestModel.request(1).groupID])
        #expect(engine.pendingGroups == 1)
        #expect(engine.tokensGenerated == 4)
        #expect(engine.tokensGenerated(in: TestModel.request(0).groupID) == 2)
        #expect(engine.tokensGenerated(in: TestModel.request(1).groupID) == nil)
        // A late group joins the running one.
        try engine.add(TestModel.request(2, samples: 3))
        _ = try engine.step()
        #expect(engine.pendingGroups <= 2 && engine.activeSequences > 0)
        _ = try engine.finish()
        #expect(engine.isIdle && engine.activeSequences == 0)
        #expect(try engine.step().isEmpty, "an idle engine does nothing")
    }

    @Test func refusals() throws {
        let engine = try model.engine(pages: 8, waiting: 2)
        func failure(_ request: GroupRequest) -> GenerationError? {
            do throws(GenerationError) {
                try engine.add(request)
                return nil
            } catch {
                return error
            }
        }
        var bad = TestModel.request(0)
        bad.promptTokens = []
        guard case .invalidPrompt = failure(bad) else { return #expect(Bool(false), "an empty prompt") }
        for token in [-1, 101, Int32.max] {
            bad.promptTokens = [1, token]
            guard case .invalidPrompt = failure(bad) else { return #expect(Bool(false), "an unknown token") }
        }
        bad = TestModel.request(0, maximumTokens: 250, prompt: 10)
        guard case .invalidPrompt = failure(bad) else { return #expect(Bool(false), "beyond the positions") }
        bad = TestModel.request(0, maximumTokens: 200, prompt: 10)
        guard case .cacheTooSmall = failure(bad) else { return #expect(Bool(false), "beyond the cache") }
        bad = TestModel.request(0)
        bad.parameters.topK = 5
        guard case .sampling(.filtersNotAllowed) = failure(bad) else { return #expect(Bool(false), "filters") }
        #expect(failure(TestModel.request(0)) == nil)
        guard case .duplicateGroup = failure(TestModel.request(0)) else { return #expect(Bool(false), "twice") }
        #expect(failure(TestModel.request(1)) == nil)
        guard case .tooManyWaiting(2) = failure(TestModel.request(2)) else { return #expect(Bool(false), "too many") }
        engine.cancelAll()
        #expect(engine.isIdle && failure(TestModel.request(0)) == nil)
    }
}
