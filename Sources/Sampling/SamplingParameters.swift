/// How the samples of one group are drawn; part of the lease, so worker and verifier hold the same.
public struct SamplingParameters: Hashable, Sendable {
    /// Samples of the group.
    public var samples: Int
    /// Most tokens of one sample, the stop token included.
    public var maximumTokens: Int
    /// What logits are divided by; 0 is greedy, with log-probabilities at temperature 1.
    public var temperature: Float
    /// Keep this many of the most probable tokens; 0 keeps all.
    public var topK: Int
    /// Keep the most probable tokens up to this much probability; 0 or 1 keeps all.
    public var topP: Float
    /// Keep tokens of at least this fraction of the largest probability; 0 keeps all.
    public var minP: Float
    /// Tokens that end a sample.
    public var stopTokens: [Int32]

    /// The most tokens that may end a sample: what a message carries.
    public static let maximumStopTokens = 256

    /// Names every parameter; filters are off unless given.
    public init(
        samples: Int, maximumTokens: Int, temperature: Float = 1, topK: Int = 0, topP: Float = 1, minP: Float = 0,
        stopTokens: [Int32] = []
    ) {
        self.samples = samples
        self.maximumTokens = maximumTokens
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
        self.minP = minP
        self.stopTokens = stopTokens
    }

    /// Whether any filter removes tokens before the choice.
    public var hasFilters: Bool { topK > 0 || hasNucleus || minP > 0 }

    /// Whether top-p is on: 0 and 1 both mean off, as on the wire.
    var hasNucleus: Bool { topP > 0 && topP < 1 }

    /// Refuses what no run may ask for.
    ///
    /// - Parameters:
    ///   - vocabularySize: stop tokens must lie below it.
    ///   - allowFilters: false in reinforcement learning, where a filtered policy is not the one that is trained.
    /// - Throws: `SamplingError` naming the parameter.
    public func validate(vocabularySize: Int, allowFilters: Bool) throws(SamplingError) {
        func require(_ condition: Bool, _ name: String, _ value: some CustomStringConvertible, _ rule: String)
            throws(SamplingError)
        {
            guard condition else { throw .invalidParameter(name: name, value: value.description, rule: rule) }
        }
        try require(samples >= 1 && samples <= 65536, "samples", samples, "1 to 65536")
        try require(maximumTokens >= 1 && maximumTokens <= 1 << 24, "max_tokens", maximumTokens, "1 to 16777216")
        // The lower bound keeps z = logit / T finite for any logit that a model produces.
        try require(
            temperature == 0 || temperature >= 0.01 && temperature <= 100, "temperature", temperature,
            "0 (greedy) or 0.01 to 100")
        try require(topK >= 0, "top_k", topK, "0 (off) or a positive count")
        try require(topP >= 0 && topP <= 1, "top_p", topP, "0 to 1")
        try require(minP >= 0 && minP <= 1, "min_p", minP, "0 to 1")
        try require(
            stopTokens.count <= Self.maximumStopTokens, "stop_tokens", "\(stopTokens.count) ids",
            "at most \(Self.maximumStopTokens)")
        for token in stopTokens {
            try require(
                token >= 0 && Int(token) < vocabularySize, "stop_tokens", token, "ids below \(vocabularySize)")
        }
        guard allowFilters || !hasFilters else { throw .filtersNotAllowed }
    }
}
