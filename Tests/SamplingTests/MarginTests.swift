import Identity
import Tensors
import Testing

@testable import Sampling

/// Margins are the differences of scores that the choice itself compares.
@Suite struct MarginTests {
    private func logits(_ count: Int) -> [Float] { (0..<count).map { Float(($0 * 7919) % 613) / 100 - 3 } }

    private func replay(
        _ claimed: Int32, _ parameters: SamplingParameters, count: Int, position: UInt32 = 5
    ) throws -> (drawn: ChosenToken, best: ChosenToken) {
        let chooser = TokenChooser(kernels: try Kernels.preferred(), vocabularySize: count, parameters: parameters)
        let words = NoiseKey(runID: .zero, weightsHash: .zero, groupID: .zero, sample: 1).words
        func draw(_ claimed: Int32?) throws -> ChosenToken {
            try chooser.draw(
                TokenDraw(row: 0, chooser: 0, noise: words, position: position, claimed: claimed), from: logits(count))
        }
        return (try draw(claimed), try draw(nil))
    }

    @Test(arguments: [50, 2048, 5000])
    func noClaimBeatsTheChoice(count: Int) throws {
        let parameters = SamplingParameters(samples: 1, maximumTokens: 1, temperature: 0.8)
        for claimed in stride(from: 0, to: count, by: count / 40) {
            let (drawn, best) = try replay(Int32(claimed), parameters, count: count)
            #expect(drawn.token == best.token && best.margin == 0)
            #expect((drawn.margin == 0) == (drawn.token == Int32(claimed)))
            #expect(drawn.margin >= 0 && drawn.margin < ChosenToken.largestMargin)
        }
    }

    /// Raising the claimed logit by its margin and a little more makes it the choice.
    @Test func theMarginIsWhatIsMissing() throws {
        let count = 3000
        let kernels = try Kernels.preferred()
        let parameters = SamplingParameters(samples: 1, maximumTokens: 1)
        let chooser = TokenChooser(kernels: kernels, vocabularySize: count, parameters: parameters)
        let words = NoiseKey(runID: .zero, weightsHash: .zero, groupID: .zero, sample: 1).words
        for claimed in [0, 17, 2047, 2048, 2999] {
            let margin = try replay(Int32(claimed), parameters, count: count).drawn.margin
            for (extra, wins) in [(Float(0.001), true), (-0.001, false)] {
                var raised = logits(count)
                raised[claimed] += margin + extra
                let choice = try chooser.choose(raised, noise: words, position: 5)
                #expect((choice.token == Int32(claimed)) == wins)
            }
        }
    }

    @Test func greedyMargins() throws {
        let greedy = SamplingParameters(samples: 1, maximumTokens: 1, temperature: 0)
        let values = logits(500)
        let (drawn, best) = try replay(3, greedy, count: 500)
        #expect(drawn.margin == values[Int(best.token)] - values[3])
    }
}
