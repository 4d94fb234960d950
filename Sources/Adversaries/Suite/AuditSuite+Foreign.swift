import Verification

/// Rollouts of a foreign engine, and the thresholds that follow from them where it is an honest one.
public struct ForeignOutcome: Sendable {
    /// The relative deviation of its rows; nil for an engine that is not simulated.
    public let noise: Float?
    /// How its rollouts were judged under `toploc` with its standard thresholds.
    public internal(set) var toploc = VerdictTally()
    /// How they were judged by thresholds that were calibrated before.
    public internal(set) var calibratedBefore = VerdictTally()
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
    ///
    /// - Parameter thresholds: what is judged by beside the standard thresholds, where something was calibrated before.
    public func foreign(rollouts: Int, thresholds: ForeignEnginePolicy? = nil) throws -> ForeignOutcome {
        let engine = ForeignEngine(lab: lab, noise: settings.foreignNoise)
        var outcome = ForeignOutcome(noise: settings.foreignNoise)
        let terms = foreignTerms(rollouts: rollouts)
        for first in stride(from: 0, to: terms.count, by: Self.groupsTogether) {
            let some = Array(terms[first..<min(first + Self.groupsTogether, terms.count)])
            try note(try engine.generate(some), some, thresholds, into: &outcome)
        }
        return outcome
    }

    /// The leases of so many rollouts, or a few more.
    ///
    /// - Parameter engine: what the worker declared; nothing for a simulated engine.
    public func foreignTerms(rollouts: Int, engine: String = "") -> [LeaseTerms] {
        var parameters = parameters
        parameters.topK = settings.foreignTopK
        return (0..<(rollouts + settings.samples - 1) / settings.samples).map { number in
            var terms = lab.terms(number, parameters)
            terms.engine = engine
            return terms
        }
    }

    /// Judges and measures what an engine that is not simulated submitted for its leases.
    ///
    /// - Parameter thresholds: what is judged by beside the standard thresholds, where something was calibrated before.
    public func foreign(
        _ evidence: [GroupEvidence], for terms: [LeaseTerms], thresholds: ForeignEnginePolicy? = nil
    ) throws -> ForeignOutcome {
        var outcome = ForeignOutcome(noise: nil)
        for first in stride(from: 0, to: terms.count, by: Self.groupsTogether) {
            let range = first..<min(first + Self.groupsTogether, terms.count)
            try note(Array(evidence[range]), Array(terms[range]), thresholds, into: &outcome)
        }
        return outcome
    }

    /// Every rollout counts, equal or not: nothing is compared with what our own engine would have said.
    private func note(
        _ evidence: [GroupEvidence], _ terms: [LeaseTerms], _ thresholds: ForeignEnginePolicy?,
        into outcome: inout ForeignOutcome
    ) throws {
        let standard = court.rules(.toploc(ForeignEnginePolicy()))
        let calibrated = thresholds.map { court.rules(.toploc($0)) }
        let replays = try court.replayer.replay(zip(evidence, terms).map { ReplayRequest($0, terms: $1) })
        let groups = zip(evidence, zip(terms, replays)).map { HonestGroup(terms: $1.0, evidence: $0, replay: $1.1) }
        for item in groups.flatMap(court.eachRollout) {
            outcome.toploc.note(item.verdict(standard))
            outcome.exact.note(item.verdict(court.rules))
            if let calibrated { outcome.calibratedBefore.note(item.verdict(calibrated)) }
            if let measured = court.measured(item) { outcome.measured.append(measured) }
        }
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
