import Generation
import Identity
import Sampling
import Tensors
import Transformer

extension EngineBench {
    /// New tokens ÷ decode seconds.
    ///
    /// The first token of every sequence comes out of its prompt's forward pass, so it counts with the prefill and not
    /// here: a rate of decoding is rows ÷ seconds of the steps that decode and nothing else.
    ///
    /// - Parameters:
    ///   - batch: sequences, a multiple of `samples`.
    ///   - samples: sequences that share a prompt.
    ///   - evidence: with commitments and TOPLOC proofs, as a worker generates.
    public func generate(batch: Int, prompt: Int, new: Int, samples: Int = 1, evidence: Bool = false) throws -> Line {
        try warmUp()
        let runs = try (0..<repeats).map { round in
            try generation(round, groups: batch / samples, prompt: prompt, new: new, samples: samples, evidence)
        }
        var line = line(
            "generate", runs.map(\.decode),
            ["batch": batch, "new": new, "prompt": prompt, "samples": samples, "evidence": evidence ? 1 : 0])
        line.prefillTokensPerSecond = Self.median(runs.map(\.prefill))
        line.totalTokensPerSecond = Self.median(runs.map(\.total))
        return line
    }

    private func generation(
        _ round: Int, groups: Int, prompt: Int, new: Int, samples: Int, _ evidence: Bool
    ) throws -> (prefill: Double, decode: Double, total: Double) {
        let shared = samples == 1 ? 0 : prompt / KeyValuePageLayout.positions
        let pages = groups * (shared + samples * (KeyValuePageLayout.pages(for: prompt + new) - shared) + 1)
        let engine = GenerationEngine(
            weights: weights, kernels: kernels, pool: pool,
            context: GenerationContext(runID: .zero, workerKey: evidence ? SigningKey().publicKey : nil),
            limits: GenerationLimits(
                sequences: groups * samples, pages: pages,
                // Single sequences: all prompts first, then all tokens, since each has a rate of its own. Groups: as
                // workers generate, prompts beside decoding; what counts there are all tokens ÷ all seconds.
                promptRows: samples == 1 ? groups * prompt : GenerationLimits.defaultPromptRows))
        let parameters = SamplingParameters(samples: samples, maximumTokens: new, temperature: 1, stopTokens: [])
        for index in 0..<groups {
            try engine.add(
                GroupRequest(
                    groupID: Self.group(round * groups + index), promptTokens: tokens(prompt, seed: index),
                    parameters: parameters))
        }
        // A worker finds its memory once and then computes for hours; llama.cpp takes it before it measures.
        engine.prepare(pages: pages)
        let began = ContinuousClock.now
        while engine.promptTokensComputed < UInt64(groups * prompt) { _ = try engine.step() }
        let filled = ContinuousClock.now
        let first = engine.tokensGenerated
        while !engine.isIdle { _ = try engine.step() }
        let ended = ContinuousClock.now
        let decoded = engine.tokensGenerated - first
        return (
            Double(groups * prompt) / (began.duration(to: filled) / .seconds(1)),
            decoded == 0 ? 0 : Double(decoded) / (filled.duration(to: ended) / .seconds(1)),
            Double(engine.tokensGenerated) / (began.duration(to: ended) / .seconds(1))
        )
    }
}
