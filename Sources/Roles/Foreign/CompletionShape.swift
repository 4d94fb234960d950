import Sampling

/// What a server's answer to a group must look like.
struct CompletionShape: Hashable, Sendable {
    let samples: Int
    let maximumTokens: Int
    let stopTokens: Set<Int32>
    let vocabularySize: Int
    let hiddenSize: Int

    init(_ parameters: SamplingParameters, vocabularySize: Int, hiddenSize: Int) {
        samples = parameters.samples
        maximumTokens = parameters.maximumTokens
        stopTokens = Set(parameters.stopTokens)
        self.vocabularySize = vocabularySize
        self.hiddenSize = hiddenSize
    }

    /// Largest answer that is read, as the hidden states of a whole group are held in memory.
    private static let most = 1 << 30

    /// How many bytes an answer has at most: for each token a row in base64 and room for its id, its number and its text.
    ///
    /// - Throws: ``CompletionFault`` where that is more than a worker should hold.
    var maximumBytes: Int {
        get throws(CompletionFault) {
            let (row, overflow) = hiddenSize.multipliedReportingOverflow(by: 3)
            let (tokens, more) = samples.multipliedReportingOverflow(by: maximumTokens)
            let (bytes, most) = tokens.multipliedReportingOverflow(by: row &+ 512)
            guard !overflow, !more, !most, bytes <= Self.most - samples * 4096 - (64 << 10) else {
                throw CompletionFault(
                    "the hidden states of a group of \(samples) samples of \(maximumTokens) tokens would take more than "
                        + "1 GiB")
            }
            return bytes + samples * 4096 + 64 << 10
        }
    }
}

/// What is wrong with a server's answer; the lease is given back, and nobody is blamed.
struct CompletionFault: Error, Hashable, Sendable, CustomStringConvertible {
    let description: String

    init(_ what: String) { description = "The completions server: \(what)." }
}
