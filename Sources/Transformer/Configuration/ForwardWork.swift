/// Counting the arithmetic of a forward pass, the unit of the ledger.
///
/// A multiply and an add count two. Counted are the matrix products (2 per weight and token) and attention
/// (4 · layers · heads · head dimension per query and position that it sees, in a windowed layer those of the window:
/// scores and weighted sum). Norms, rotations,
/// activations and sampling are left out; they are below 1 % and have no natural count. A token's forward pass through the
/// layers is counted when its successor is needed: the last sampled token has none. The output projection counts once per
/// sampled token. The numbers are integers that follow from sizes alone, so every node books the same amount.
extension ModelConfiguration {
    /// The parameters in the matrices of one layer.
    public var matrixParametersPerLayer: Int {
        hiddenSize * (2 * queryWidth + 2 * keyValueWidth) + 3 * hiddenSize * intermediateSize
    }

    /// The parameters of the output projection, shared with the embedding or not.
    public var outputParameters: Int { vocabularySize * hiddenSize }

    /// The work of generating one sample: the prompt, then every completion token.
    ///
    /// - Parameters:
    ///   - promptTokens: the length of the prompt, at least 1.
    ///   - completionTokens: the number of sampled tokens, the stop token included.
    public func forwardFLOPs(promptTokens: Int, completionTokens: Int) -> Int {
        forwardFLOPs(promptTokens: promptTokens, completionTokens: [completionTokens])
    }

    /// The work of generating a group of samples whose prompt is computed once.
    ///
    /// - Parameters:
    ///   - promptTokens: the length of the prompt, at least 1.
    ///   - completionTokens: the number of sampled tokens of each sample.
    public func forwardFLOPs(promptTokens: Int, completionTokens: [Int]) -> Int {
        var work = layerFLOPs(from: 0, to: promptTokens)
        for count in completionTokens where count > 0 {
            work += layerFLOPs(from: promptTokens, to: promptTokens + count - 1)
            work += 2 * outputParameters * count
        }
        return work
    }

    /// The work of the layers for the positions from `start` up to, but not including, `end`.
    private func layerFLOPs(from start: Int, to end: Int) -> Int {
        let windowed = windowedLayers.count
        let seen =
            (layers - windowed) * positionsSeen(from: start, to: end, window: end)
            + windowed * positionsSeen(from: start, to: end, window: slidingWindow ?? end)
        return layers * 2 * matrixParametersPerLayer * (end - start) + 4 * queryWidth * seen
    }

    /// The positions that those from `start` up to `end` see, summed: position p sees p + 1, or the window if it is less.
    private func positionsSeen(from start: Int, to end: Int, window: Int) -> Int {
        func upTo(_ end: Int) -> Int {
            let growing = min(end, window)
            return growing * (growing + 1) / 2 + (end - growing) * window
        }
        return upTo(end) - upTo(start)
    }
}
