import Identity
import Sampling
import Tensors
import Transformer
import Verification

extension EngineBench {
    /// Completion tokens audited per second: forward pass, every log-probability, every choice and the proofs.
    public func verify(groups: Int, prompt: Int, new: Int, samples: Int = 8) throws -> Line {
        try warmUp()
        let replayer = Replayer(
            weights: weights, kernels: kernels, pool: pool,
            limits: ReplayLimits(cacheBytes: 2 << 30, configuration: configuration))
        let parameters = SamplingParameters(samples: samples, maximumTokens: new, temperature: 1, stopTokens: [])
        let requests = (0..<groups).map { group in
            ReplayRequest(
                runID: .zero, groupID: Self.group(group), workerKey: SigningKey().publicKey,
                promptTokens: tokens(prompt, seed: group), parameters: parameters,
                completions: (0..<samples).map { tokens(new, seed: 1000 + group * samples + $0) })
        }
        let rates = try (0..<repeats).map { _ in
            let began = ContinuousClock.now
            _ = try replayer.replay(requests)
            return Double(groups * samples * new) / (began.duration(to: .now) / .seconds(1))
        }
        var line = line("verify", rates, ["groups": groups, "new": new, "prompt": prompt, "samples": samples])
        // The last token of a completion is never fed.
        let computed = prompt + samples * (new - 1)
        line.replayedTokensPerSecond = line.tokensPerSecond * Double(computed) / Double(samples * new)
        return line
    }
}
