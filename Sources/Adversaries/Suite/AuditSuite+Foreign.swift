import Verification

/// Honest rollouts of a simulated foreign engine, and the thresholds that follow from them.
public struct ForeignOutcome: Sendable {
    /// The relative deviation of its rows.
    public let noise: Float
    /// How its rollouts were judged under `toploc` with its standard thresholds.
    public internal(set) var toploc = VerdictTally()
    /// How they would be judged under `exact`: not a foreign engine's policy.
    public internal(set) var exact = VerdictTally()
    /// What an audit measures of each.
    public internal(set) var measured: [AuditStatistics] = []

    /// The margins of all tokens.
    public var margins: MarginTally {
        measured.reduce(into: MarginTally()) { $0.merge($1.margins) }
    }

    /// The tightest bounds that none of these rollouts exceeds; with n rollouts, at most about 3/n of honest ones do.
    public var calibrated: ForeignEnginePolicy {
        func largest(_ value: (AuditStatistics) -> Double) -> Double { measured.map(value).max() ?? 0 }
        func least(_ value: (AuditStatistics) -> Double) -> Double { measured.map(value).min() ?? 0 }
        let standard = ForeignEnginePolicy()
        return ForeignEnginePolicy(
            toploc: .init(
                exponentMismatches: Int(largest { Double($0.exponentMismatches) }),
                mantissaErrorMean: largest(\.mantissaErrorMean), mantissaErrorMedian: largest(\.mantissaErrorMedian),
                signMismatches: Int(largest { Double($0.signMismatches) })),
            logProbabilityError: largest(\.logProbabilityMedian), marginMean: largest(\.marginMean),
            largestMargin: largest(\.largestMargin),
            endFalseRejects: min(standard.endFalseRejects, least(\.endChance)),
            copyFalseRejects: min(standard.copyFalseRejects, least(\.copyChance)),
            allowsBimodal: measured.contains { $0.bimodalSamples > 0 })
    }
}

extension AuditSuite {
    /// Lets a simulated foreign engine generate so many rollouts, and measures them.
    public func foreign(rollouts: Int) throws -> ForeignOutcome {
        let engine = ForeignEngine(lab: lab, noise: settings.foreignNoise)
        var outcome = ForeignOutcome(noise: settings.foreignNoise)
        let foreign = court.rules(.toploc(ForeignEnginePolicy()))
        var next = 0
        while outcome.toploc.total < rollouts {
            let wanted = (rollouts - outcome.toploc.total + settings.samples - 1) / settings.samples
            let terms = (next..<next + min(wanted, Self.groupsTogether)).map { lab.terms($0, parameters) }
            next += terms.count
            // Every rollout counts, equal or not: nothing is compared with what our own engine would have said.
            let evidence = try engine.generate(terms)
            let replays = try court.replayer.replay(zip(evidence, terms).map { ReplayRequest($0, terms: $1) })
            let groups = zip(evidence, zip(terms, replays)).map { HonestGroup(terms: $1.0, evidence: $0, replay: $1.1) }
            for item in groups.flatMap(court.eachRollout) {
                outcome.toploc.note(item.verdict(foreign))
                outcome.exact.note(item.verdict(court.rules))
                if let measured = court.measured(item) { outcome.measured.append(measured) }
            }
        }
        return outcome
    }
}

extension RolloutCourt {
    /// Every sample of a group beside another one of it.
    func eachRollout(_ group: HonestGroup) -> [Case] {
        group.evidence.samples.indices.map { index in
            let places = group.evidence.samples.count < 2 ? [index] : [index == 0 ? 1 : 0, index]
            var (pair, terms) = (group.evidence, group.terms)
            pair.samples = places.map { group.evidence.samples[$0] }
            pair.parameters.samples = places.count
            terms.parameters.samples = places.count
            return Case(
                evidence: pair, terms: terms, replay: ReplayResult(samples: places.map { group.replay.samples[$0] }),
                rollouts: 1, forged: [places.count - 1])
        }
    }
}
