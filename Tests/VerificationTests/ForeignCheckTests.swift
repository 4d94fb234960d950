import Foundation
import Identity
import Proofs
import Sampling
import Testing

@testable import Verification

/// The checks that only the policy for foreign engines has, each on the smallest case that it rejects.
@Suite struct ForeignCheckTests {
    private let rules: AuditRules
    private let exact: AuditRules

    init() {
        exact = AuditRules(schemaVersion: 1, arithmeticVersion: 1, vocabularySize: 100, hiddenSize: 8)
        var foreign = exact
        foreign.policy = .toploc(ForeignEnginePolicy())
        rules = foreign
    }

    private func rejects(
        _ check: any ReplayCheck, _ samples: [(tokens: [Int32], logs: [Float], margins: [Float])],
        _ rules: AuditRules? = nil, finish: FinishReason = .length, temperature: Float = 1
    ) throws -> Bool {
        let key = try #require(SigningKey(seed: [UInt8](repeating: 1, count: 32))).publicKey
        let evidence = GroupEvidence(
            schemaVersion: 1, arithmeticVersion: 1, runID: .zero, leaseID: 1, groupID: .zero, attempt: 0,
            workerKey: key, policyVersion: 1, weightsHash: .zero, environmentID: "", environmentHash: .zero,
            promptTokens: [1],
            parameters: SamplingParameters(samples: samples.count, maximumTokens: 64, temperature: temperature),
            samples: samples.map {
                SampleEvidence(
                    tokens: $0.tokens, finishReason: finish, logProbabilities: $0.logs, commitments: [], proofs: [])
            })
        let replay = ReplayResult(
            samples: samples.map {
                ReplayedSample(
                    commitments: [], logProbabilities: $0.logs, replayedTokens: $0.tokens, margins: $0.margins,
                    topRows: [])
            })
        var statistics = AuditStatistics()
        do throws(Rejection) {
            try check.compare(evidence, with: replay, rules ?? self.rules, into: &statistics)
            return false
        } catch {
            #expect(error.check == check.name)
            return true
        }
    }

    private func sample(
        _ tokens: [Int32], log: Float = -2, margins: [Float]? = nil
    ) -> (tokens: [Int32], logs: [Float], margins: [Float]) {
        (tokens, tokens.map { _ in log }, margins ?? tokens.map { _ in 0 })
    }

    @Test func margins() throws {
        let tokens = (0..<40).map(Int32.init)
        func margins(_ margin: Float, every period: Int) -> [Float] {
            tokens.map { Int($0) % period == 0 ? margin : 0 }
        }
        #expect(try !rejects(MarginCheck(), [sample(tokens, margins: margins(0.05, every: 10))]))
        #expect(try rejects(MarginCheck(), [sample(tokens), sample(tokens, margins: margins(0.5, every: 2))]))
        #expect(try rejects(MarginCheck(), [sample(tokens, margins: margins(1.5, every: 39))]), "one token of choice")
        #expect(try !rejects(MarginCheck(), [sample(tokens, margins: margins(9, every: 2))], exact))
    }

    @Test func implausibleEnd() throws {
        func logs(_ last: Float) -> [(tokens: [Int32], logs: [Float], margins: [Float])] {
            [([1, 2], [-1, last], [0, 0])]
        }
        // Sixty-four positions and a bound of 0.001: below a probability of 1.6e-5, or e to the -11.07.
        #expect(try rejects(EndCheck(), logs(-11.2), finish: .stop))
        #expect(try !rejects(EndCheck(), logs(-11), finish: .stop))
        #expect(try !rejects(EndCheck(), logs(-12), finish: .length))
        #expect(try !rejects(EndCheck(), logs(-12), exact, finish: .stop))
        #expect(try !rejects(EndCheck(), logs(-12), finish: .stop, temperature: 0))
    }

    @Test func copiedText() throws {
        let one = (0..<40).map { Int32($0 * 7 % 31) }
        let other = (0..<40).map { Int32($0 * 11 % 37 + 40) }
        #expect(try !rejects(CopyCheck(), [sample(one), sample(other)]))
        #expect(try rejects(CopyCheck(), [sample(one), sample(other), sample(one)]))
        // The same beginning, though too short for a passage, and the same passage at another place.
        #expect(try rejects(CopyCheck(), [sample(one, log: -4), sample(Array(one[..<10] + other), log: -4)]))
        #expect(try rejects(CopyCheck(), [sample(one, log: -3), sample(Array(other[..<9] + one[..<20]), log: -3)]))
        // A policy that is sure of itself says the same thing again and again.
        #expect(try !rejects(CopyCheck(), [sample(one, log: -0.01), sample(one, log: -0.01)]))
        #expect(try !rejects(CopyCheck(), [sample(one), sample(one)], temperature: 0))
        #expect(try !rejects(CopyCheck(), [sample(one), sample(one)], exact))
    }

    @Test func twoHeapsOfProbabilities() throws {
        func sample(_ certain: Int, _ impossible: Int, _ middle: Int) -> [(
            tokens: [Int32], logs: [Float], margins: [Float]
        )] {
            let probabilities =
                [Float](repeating: 0.98, count: certain) + [Float](repeating: 0.0002, count: impossible)
                + (0..<middle).map { 0.1 + 0.7 * Float($0) / Float(max(1, middle)) }
            return [(probabilities.map { _ in 1 }, probabilities.map { log($0) }, probabilities.map { _ in 0 })]
        }
        #expect(try rejects(ProbabilityShapeCheck(), sample(40, 10, 0)))
        #expect(try !rejects(ProbabilityShapeCheck(), sample(45, 1, 4)))
        #expect(try !rejects(ProbabilityShapeCheck(), sample(10, 10, 30)))
        #expect(try !rejects(ProbabilityShapeCheck(), sample(20, 5, 0)), "a short sample says nothing")
        #expect(try !rejects(ProbabilityShapeCheck(), sample(40, 10, 0), exact))
    }
}
