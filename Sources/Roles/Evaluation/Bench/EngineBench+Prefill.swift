import Tensors
import Transformer

extension EngineBench {
    /// Prompt tokens per second, with the logits of the last position of each.
    public func prefill(batch: Int, length: Int) throws -> Line {
        let rates = try rates(batch: batch, length: length, outputs: 1) { decoder, rows, _ in
            decoder.visitLogits(rows) { _, _, _, _, _ in }
        }
        return line("prefill", rates, ["batch": batch, "length": length])
    }

    /// Tokens per second of one forward pass with the log-probability of every token.
    public func replay(batch: Int, length: Int) throws -> Line {
        let rates = try rates(batch: batch, length: length, outputs: length) { decoder, rows, tokens in
            _ = try decoder.logProbabilities(rows, tokens: tokens[...], temperature: 1)
        }
        return line("replay", rates, ["batch": batch, "length": length])
    }

    private func rates(
        batch: Int, length: Int, outputs: Int, _ finish: (Decoder, HiddenRows, [Int32]) throws -> Void
    ) throws -> [Double] {
        try warmUp()
        let decoder = Decoder(weights: weights, kernels: kernels, pool: pool)
        let texts = (0..<batch).map { tokens(length, seed: $0) }
        // Any token will do to be predicted; the next one is what a replay asks for.
        let next = texts.flatMap { $0.dropFirst() + $0.prefix(1) }
        let pages = batch * KeyValuePageLayout.pages(for: length)
        return try (0..<repeats).map { _ in
            let cache = KeyValueCache(configuration, maximumPages: pages)
            // Workers and verifiers keep their cache; llama.cpp takes its memory before it measures.
            cache.prepare(pages: pages)
            let segments = texts.map { Segment(cache.makeSequence(), tokens: $0, outputs: outputs) }
            let began = ContinuousClock.now
            let rows = try decoder.forward(segments, cache: cache)
            try finish(decoder, rows, next)
            return Double(batch * length) / (began.duration(to: .now) / .seconds(1))
        }
    }
}
