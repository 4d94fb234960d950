import Tensors

/// Draws tokens from rows of logits by the rules that a verifier replays (ARITHMETIC rules 8 to 10).
///
/// Stateless: the same logits, noise and position give the same token on every machine and in every order of calls.
public struct TokenChooser: Sendable {
    let kernels: Kernels
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

    /// Whether a choice needs all logits of a row at once.
    var needsWholeRows: Bool { filters != nil }

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
        try draw(TokenDraw(row: 0, chooser: 0, noise: noise, position: position), from: logits)
    }

    /// The replayed choice together with the log-probability of the token that was claimed.
    ///
    /// - Returns: what the noise dictates, and the claimed token's log-probability; equal pairs mean an honest token.
    public func replay(
        _ logits: UnsafePointer<Float>, claimed: Int32, noise: NoiseWords, position: UInt32
    ) throws(SamplingError) -> (choice: Int32, logProbability: Float) {
        let draw = TokenDraw(row: 0, chooser: 0, noise: noise, position: position, claimed: claimed)
        let chosen = try self.draw(draw, from: logits)
        return (chosen.token, chosen.logProbability)
    }

    /// The drawn token, with the log-probability of the claimed one if there is one.
    func draw(_ draw: TokenDraw, from logits: UnsafePointer<Float>) throws(SamplingError) -> ChosenToken {
        precondition(draw.claimed.map { $0 >= 0 && Int($0) < vocabularySize } ?? true, "a claimed token exists")
        let drawn = withUnsafeTemporaryAllocation(
            of: VocabularyBlock.self, capacity: VocabularyBlock.count(vocabularySize: vocabularySize)
        ) { blocks -> ChosenToken? in
            var choice = TokenChoice()
            for block in blocks.indices {
                guard let sum = sample(draw, block, logits + block * VocabularyBlock.size, &choice) else { return nil }
                blocks.initializeElement(at: block, to: sum)
            }
            var claim = draw.claimed.map { Claim(logit: logits[Int($0)]) }
            if let filters { choice = filtered(filters, draw, logits, &claim) }
            return result(of: choice, draw, claim, UnsafeBufferPointer(blocks))
        }
        guard let drawn else { throw .nonFiniteLogits(position: draw.position) }
        return drawn
    }

    /// Continues a choice with one block of 2048 ids of its row; nil where a logit is not finite.
    func sample(
        _ draw: TokenDraw, _ block: Int, _ logits: UnsafePointer<Float>, _ choice: inout TokenChoice
    ) -> VocabularyBlock? {
        let first = block * VocabularyBlock.size
        return kernels.sample(
            logits, firstID: first, count: min(VocabularyBlock.size, vocabularySize - first), temperature: temperature,
            noise: draw.noise, position: draw.position, choice: &choice)
    }

    /// What is known of a claimed token.
    struct Claim {
        let logit: Float
        /// How far it lies below the choice, where filters have a say in that.
        var filteredMargin: Float?
    }

    /// What the blocks of a row make of a finished choice.
    func result(
        of choice: TokenChoice, _ draw: TokenDraw, _ claim: Claim?, _ blocks: UnsafeBufferPointer<VocabularyBlock>
    ) -> ChosenToken {
        let sum = kernels.vocabularySum(combining: blocks, temperature: temperature)
        return ChosenToken(
            token: choice.token, logProbability: sum.logProbability(ofLogit: claim?.logit ?? choice.logit),
            margin: margin(of: choice, draw, claim))
    }

    private func filtered(
        _ filters: TokenFilters, _ draw: TokenDraw, _ logits: UnsafePointer<Float>, _ claim: inout Claim?
    ) -> TokenChoice {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: vocabularySize) { kept in
            filters.apply(to: UnsafeBufferPointer(start: logits, count: vocabularySize), into: kept)
            guard let base = kept.baseAddress else { return TokenChoice() }
            let choice = kernels.gumbelArgmax(
                base, count: vocabularySize, temperature: temperature, noise: draw.noise, position: draw.position)
            if let claimed = draw.claimed, claimed != choice.token, temperature > 0 {
                let edge = FilterEdge(filters, UnsafeBufferPointer(start: logits, count: vocabularySize))
                claim?.filteredMargin = margin(of: choice, draw, claimed, logits[Int(claimed)], edge, kept)
            }
            return choice
        }
    }
}
