import Roles
import Tensors
import Testing

@Suite("Benchmarks of the engine")
struct EngineBenchTests {
    let bench: EngineBench

    init() throws {
        bench = try EngineBench(model: nil, kernels: Kernels.preferred(named: nil), threads: 1, repeats: 2)
    }

    @Test("generation counts what decodes, for single sequences, groups and with evidence")
    func generation() throws {
        for (samples, evidence) in [(1, false), (2, false), (2, true)] {
            let line = try bench.generate(batch: 4, prompt: 5, new: 33, samples: samples, evidence: evidence)
            let prefill = try #require(line.prefillTokensPerSecond)
            let total = try #require(line.totalTokensPerSecond)
            #expect(line.tokensPerSecond > 0 && prefill > 0 && total > 0)
            #expect(line.settings["samples"] == samples && line.settings["batch"] == 4)
            #expect(line.spread[0] <= line.tokensPerSecond && line.tokensPerSecond <= line.spread[1])
        }
        // One token each: it comes out of the prompts, and nothing decodes.
        #expect(try bench.generate(batch: 2, prompt: 5, new: 1).tokensPerSecond == 0)
    }

    @Test("prefill, replay, audit, training and products have rates")
    func rates() throws {
        for line in [
            try bench.prefill(batch: 2, length: 9), try bench.replay(batch: 2, length: 9),
            try TrainingBench(model: nil, kernels: Kernels.preferred(named: nil), threads: 1, repeats: 2)
                .steps(batch: 2, length: 9),
        ] {
            #expect(line.tokensPerSecond.isFinite && line.tokensPerSecond > 0)
        }
        let audit = try bench.verify(groups: 2, prompt: 6, new: 5, samples: 3)
        // Six tokens of the prompt and four of each completion are fed for fifteen that are counted.
        #expect(abs(try #require(audit.replayedTokensPerSecond) / audit.tokensPerSecond - 18.0 / 15) < 1e-9)
        for cached in [false, true] { #expect(bench.matmul(rows: 3, cached: cached).gigaflops > 0) }
    }
}
