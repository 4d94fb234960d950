import Verification

/// What came of one dishonest verifier, counted in groups.
public struct VerifierOutcome: Sendable {
    /// Its name.
    public let name: String
    /// What it does.
    public let summary: String
    /// What comparing its report comes to on groups of honest workers.
    public internal(set) var onHonest = VerdictTally()
    /// What it comes to on groups of a worker that used the version before.
    public internal(set) var onForged = VerdictTally()
}

extension AuditSuite {
    /// Lets dishonest verifiers, and last an honest one, audit groups of honest and of cheating workers.
    ///
    /// The cheat uses the weights of the version before. What it computed is what it tells an accomplice.
    public func verifiers(groups count: Int) throws -> [VerifierOutcome] {
        let groups = try honestGroups(0..<count, parameters)
        let cheat = try lab.previousWeights()
        let forged = try lab.generate(groups.map(\.terms), with: cheat)
        let requests = zip(forged, groups).map { ReplayRequest($0, terms: $1.terms) }
        let replays = try court.replayer.replay(requests)
        let accomplice = Replayer(
            weights: cheat, kernels: lab.kernels, pool: lab.pool,
            limits: .init(cacheBytes: 1 << 30, configuration: lab.configuration))
        let told = try zip(accomplice.replay(requests), requests).map { replay, request in
            var replay = replay
            for (index, tokens) in request.completions.enumerated() {
                replay.samples[index].replayedTokens = tokens
                replay.samples[index].margins = tokens.map { _ in 0 }
            }
            return replay
        }
        lab.forgetWeights()
        let conducts: [any VerifierConduct] = [LazyVerifier(), LyingVerifier(), ColludingVerifier(), HonestVerifier()]
        return conducts.map { conduct in
            var outcome = VerifierOutcome(name: conduct.name, summary: conduct.summary)
            for (index, group) in groups.enumerated() {
                func verdict(_ evidence: GroupEvidence, _ replay: ReplayResult, _ told: ReplayResult) -> Verdict {
                    let request = ReplayRequest(evidence, terms: group.terms)
                    return Checks.judge(
                        evidence, terms: group.terms, rules: court.rules,
                        replay: conduct.report(request, replay: replay, accomplice: told))
                }
                outcome.onHonest.note(verdict(group.evidence, group.replay, group.replay))
                if forged[index] != group.evidence {
                    outcome.onForged.note(verdict(forged[index], replays[index], told[index]))
                }
            }
            return outcome
        }
    }
}
