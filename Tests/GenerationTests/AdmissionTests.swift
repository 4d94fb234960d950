import Identity
import Sampling
import Tensors
import Testing
import Transformer

@testable import Generation

/// Joining, leaving and refusals.
@Suite struct AdmissionTests {
    let model: TestModel

    init() throws { model = try TestModel() }

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
