import Identity
import Sampling
import Testing

@testable import Verification

/// The cheap checks, one edit of an honest group at a time.
@Suite struct SubmissionCheckTests {
    let swarm: Swarm
    let terms: LeaseTerms
    let honest: GroupEvidence

    init() throws {
        swarm = try Swarm()
        terms = try swarm.terms(11)
        honest = try swarm.generate(terms)
    }

    private func rejection(_ edit: (inout GroupEvidence) -> Void) -> Rejection? {
        var evidence = honest
        edit(&evidence)
        return Checks.examine(evidence, terms: terms, rules: swarm.rules)
    }

    @Test func honestPasses() {
        #expect(rejection { _ in } == nil)
    }

    @Test func versionAndLease() throws {
        let other = SHA256.hash([5])
        let key = try Swarm.key(9)
        #expect(rejection { $0.schemaVersion = 2 }?.check == "version")
        #expect(rejection { $0.arithmeticVersion = 99 }?.check == "version")
        #expect(rejection { $0.arithmeticVersion = 99 }?.severity == .discard)
        #expect(rejection { $0.workerKey = key }?.check == "worker-key")
        #expect(rejection { $0.runID = other }?.check == "lease")
        #expect(rejection { $0.leaseID = 1 }?.check == "lease")
        #expect(rejection { $0.attempt = 1 }?.check == "lease")
        #expect(rejection { $0.groupID = other }?.check == "replayed-group")
        #expect(rejection { $0.groupID = other }?.severity == .slash)
        #expect(rejection { $0.environmentID = "other" }?.check == "environment")
        #expect(rejection { $0.environmentHash = other }?.check == "environment")
        #expect(rejection { $0.promptTokens.append(1) }?.check == "prompt")
        #expect(rejection { $0.promptTokens = [] }?.check == "prompt")
        #expect(rejection { $0.parameters.maximumTokens = 41 }?.check == "sampling-parameters")
        #expect(rejection { $0.parameters.stopTokens = [] }?.check == "sampling-parameters")
    }

    @Test func staleGroupsAreDiscarded() {
        var rules = swarm.rules
        rules.oldestUsefulVersion = 6
        let rejection = Checks.examine(honest, terms: terms, rules: rules)
        #expect(rejection?.check == "staleness" && rejection?.severity == .discard)
        rules.oldestUsefulVersion = 5
        #expect(Checks.examine(honest, terms: terms, rules: rules) == nil)
    }

    @Test func termination() throws {
        let stopped = try #require(honest.samples.firstIndex { $0.finishReason == .stop && $0.tokens.count > 1 })
        let full = try #require(honest.samples.firstIndex { $0.finishReason == .length })
        func edited(_ sample: Int, _ edit: (inout SampleEvidence) -> Void) -> String? {
            rejection { edit(&$0.samples[sample]) }?.check
        }
        #expect(edited(stopped) { $0.tokens = [] } == "length")
        #expect(edited(full) { $0.tokens.append(50) } == "length")
        #expect(edited(stopped) { $0.tokens.append(50) } == "tokens-after-stop")
        #expect(edited(stopped) { $0.tokens.append(10) } == "tokens-after-stop", "padding with stop tokens")
        #expect(edited(stopped) { $0.tokens.removeLast() } == "unfinished")
        #expect(edited(full) { $0.tokens.removeLast() } == "unfinished")
        #expect(edited(full) { $0.finishReason = .stop } == "finish-reason")
        #expect(edited(stopped) { $0.finishReason = .length } == "finish-reason")
        #expect(edited(stopped) { $0.finishReason = nil } == "finish-reason")
        // Cut to a claimed length and given an honest-looking reason: still neither stopped nor full.
        #expect(
            edited(full) {
                $0.tokens.removeLast(); $0.finishReason = .length
            } == "unfinished")
        #expect(edited(full) { $0.tokens[39] = 10 } == "finish-reason", "stop beats length")
    }

    @Test func vocabulary() {
        for bad in [-1, 128, Int32.max, Int32.min] {
            #expect(rejection { $0.samples[0].tokens[0] = bad }?.check == "vocabulary")
        }
    }

    @Test func rejectionsSpeak() throws {
        let text = try #require(rejection { $0.samples[1].tokens[0] = -1 }).description
        #expect(
            text == "vocabulary, sample 1, position 0: A token id does not exist. Expected 0 to 127, found 4294967295.")
        #expect(Rejection.equivocation(first: "a", second: "b").severity == .slash)
        #expect(Rejection.replayedGroup(original: "a", submitted: "b").check == "replayed-group")
    }
}
