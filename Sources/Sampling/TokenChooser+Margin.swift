import Tensors

/// How far a claimed token lies from being the choice.
extension TokenChooser {
    /// Tokens that are looked at for one claim; what a stranger claims must not cost a verifier much.
    private static let mostRivals = 32

    /// How far a claim lies below the choice; the noise of one id more where they differ, nothing where they agree.
    func margin(of choice: TokenChoice, _ draw: TokenDraw, _ claim: Claim?) -> Float {
        guard let claim, let token = draw.claimed, token != choice.token else { return 0 }
        if let filtered = claim.filteredMargin { return filtered }
        guard temperature > 0 else { return min(max(0, choice.logit - claim.logit), ChosenToken.largestMargin) }
        return min(max(0, choice.score - score(of: token, claim.logit, draw)), ChosenToken.largestMargin)
    }

    /// The same where filters decide too: a token can also win because the edge of a filter lies a little elsewhere.
    ///
    /// A claim that was removed must come inside, and each token that beats it must fall behind it or out; all of that
    /// with logits that move no further than the margin against one another.
    ///
    /// - Parameter kept: what the filters left; changed.
    func margin(
        of choice: TokenChoice, _ draw: TokenDraw, _ claimed: Int32, _ logit: Float, _ edge: FilterEdge,
        _ kept: UnsafeMutableBufferPointer<Float>
    ) -> Float {
        guard let base = kept.baseAddress else { return 0 }
        let score = score(of: claimed, logit, draw)
        var margin = max(0, -edge.distance(of: Int(claimed)))
        var rival = choice
        for turn in 1...Self.mostRivals {
            let lead = rival.score - score
            guard lead > margin else { break }
            let inside = edge.distance(of: Int(rival.token))
            guard inside < lead, turn < Self.mostRivals else {
                margin = lead
                break
            }
            margin = max(margin, inside)
            kept[Int(rival.token)] = -.infinity
            rival = kernels.gumbelArgmax(
                base, count: vocabularySize, temperature: temperature, noise: draw.noise, position: draw.position)
        }
        return min(margin, ChosenToken.largestMargin)
    }

    /// The score of one token by the noise of a draw.
    private func score(of token: Int32, _ logit: Float, _ draw: TokenDraw) -> Float {
        let place = Int(token) % VocabularyBlock.size
        return withUnsafeTemporaryAllocation(of: Float.self, capacity: place + 1) { logits in
            // Minus infinity never wins, so the block's choice is the token with its own score.
            logits.initialize(repeating: -.infinity)
            logits[place] = logit
            var choice = TokenChoice()
            guard let base = logits.baseAddress else { return choice.score }
            _ = kernels.sample(
                base, firstID: Int(token) - place, count: place + 1, temperature: temperature, noise: draw.noise,
                position: draw.position, choice: &choice)
            return choice.score
        }
    }
}
