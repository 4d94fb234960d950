import Tensors

/// Draws tokens from rows of logits by the rules that a verifier replays (ARITHMETIC rules 8 to 10).
///
/// Stateless: the same logits, noise and position give the same token on every machine and in every order of calls.
public struct TokenChooser: Sendable {
    private let kernels: Kernels
    private let filters: TokenFilters?
    /// The size of a row of logits.
    public let vocabularySize: Int
    /// What logits are divided by; 0 is greedy.
    public let temperature: Float

    /// A chooser for one group's parameters, which the caller has validated.
    public init(kernels: Kernels, vocabularySize: Int, parameters: SamplingParameters) {
        precondition(vocabularySize > 0 && parameters.temperature >= 0)
        self.kernels = kernels
        self.vocabularySize = vocabularySize
        self.temperature = parameters.temperature
        self.filters = parameters.hasFilters ? TokenFilters(parameters) : nil
    }

    /// The token that the noise dictates at a position, with its log-probability.
    ///
    /// - Parameters:
    ///   - logits: `vocabularySize` raw logits; never changed.
    ///   - noise: the sample's noise words.
    ///   - position: the absolute index in the canonical token array of the token to be chosen.
    /// - Throws: `SamplingError.nonFiniteLogits` where no distribution exists.
    public func choose(
        _ logits: UnsafePointer<Float>, noise: NoiseWords, position: UInt32
    ) throws(SamplingError) -> ChosenToken {
        try requireFinite(logits, position: position)
        let choice = select(logits, noise: noise, position: position)
        let sum = kernels.vocabularySum(logits, count: vocabularySize, temperature: temperature)
        return ChosenToken(token: choice.token, logProbability: sum.logProbability(ofLogit: choice.logit))
    }

    /// The replayed choice together with the log-probability of the token that was claimed.
    ///
    /// - Returns: what the noise dictates, and the claimed token's log-probability; equal pairs mean an honest token.
    public func replay(
        _ logits: UnsafePointer<Float>, claimed: Int32, noise: NoiseWords, position: UInt32
    ) throws(SamplingError) -> (choice: Int32, logProbability: Float) {
        precondition(claimed >= 0 && Int(claimed) < vocabularySize)
        try requireFinite(logits, position: position)
        let choice = select(logits, noise: noise, position: position)
        let sum = kernels.vocabularySum(logits, count: vocabularySize, temperature: temperature)
        return (choice.token, sum.logProbability(ofLogit: logits[Int(claimed)]))
    }

    private func requireFinite(_ logits: UnsafePointer<Float>, position: UInt32) throws(SamplingError) {
        guard Kernels.isFinite(logits, count: vocabularySize) else { throw .nonFiniteLogits(position: position) }
    }

    private func select(_ logits: UnsafePointer<Float>, noise: NoiseWords, position: UInt32) -> TokenChoice {
        guard let filters else {
            return kernels.gumbelArgmax(
                logits, count: vocabularySize, temperature: temperature, noise: noise, position: position)
        }
        return withUnsafeTemporaryAllocation(of: Float.self, capacity: vocabularySize) { kept in
            filters.apply(to: UnsafeBufferPointer(start: logits, count: vocabularySize), into: kept)
            guard let base = kept.baseAddress else { return TokenChoice() }
            return kernels.gumbelArgmax(
                base, count: vocabularySize, temperature: temperature, noise: noise, position: position)
        }
    }
}
