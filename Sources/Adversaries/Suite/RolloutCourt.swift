import Verification

/// Judges forged groups rollout by rollout, with the orchestrator's own checks and an honest verifier's replay.
///
/// A group is judged as a whole, so one bad sample would speak for the others. Here each forged sample is put beside one
/// honest sample of its group and judged by itself; what is forged about a whole group is judged with the group.
struct RolloutCourt {
    let replayer: Replayer
    let rules: AuditRules

    /// The same rules under another policy.
    func rules(_ policy: AuditPolicy) -> AuditRules {
        var other = rules
        other.policy = policy
        return other
    }

    /// One forged rollout, and what is needed to judge it under any policy.
    struct Case {
        let evidence: GroupEvidence
        let terms: LeaseTerms
        /// Nil where a check without a replay rejects already.
        let replay: ReplayResult?
        /// Rollouts that this case speaks for: 1, or a whole group.
        let rollouts: Int
        /// The forged samples of `evidence`.
        let forged: [Int]

        /// The verdict of the orchestrator's code.
        func verdict(_ rules: AuditRules) -> Verdict {
            if let rejection = Checks.examine(evidence, terms: terms, rules: rules) { return .rejected(rejection) }
            guard let replay else { return .inconclusive(VerifierFault(reason: "The group was not replayed.")) }
            return Checks.judge(evidence, terms: terms, rules: rules, replay: replay)
        }

        /// Whether each check by itself, by its name, would reject.
        func isRejected(by check: any ReplayCheck, _ rules: AuditRules) -> Bool {
            guard let replay, Checks.examine(evidence, terms: terms, rules: rules) == nil else { return false }
            var statistics = AuditStatistics()
            do throws(Rejection) {
                try check.compare(evidence, with: replay, rules, into: &statistics)
                return false
            } catch {
                return true
            }
        }
    }

    /// Sorts out what differs from the honest submission, and replays it.
    ///
    /// - Returns: the rollouts that the attack left as they were, and the cases to judge.
    func cases(
        _ forged: [GroupEvidence], _ honest: [HonestGroup], _ forges: Forgery
    ) throws -> (unchanged: Int, cases: [Case]) {
        var unchanged = 0
        var prepared: [Prepared] = []
        for (evidence, group) in zip(forged, honest) {
            let changed = changed(evidence, group, forges)
            unchanged += evidence.samples.count - changed.count
            guard !changed.isEmpty else { continue }
            prepared.append(
                isWholeGroup(evidence, group) ? whole(evidence, group, changed) : apart(evidence, group, changed))
        }
        let requests = prepared.compactMap(\.request)
        var replays = try replayer.replay(requests)[...]
        var cases: [Case] = []
        for item in prepared {
            cases += item.cases(item.request == nil ? nil : replays.popFirst())
        }
        return (unchanged, cases)
    }

    /// A forged group with what is to be replayed of it.
    private struct Prepared {
        let request: ReplayRequest?
        let cases: (ReplayResult?) -> [Case]
    }

    private func changed(_ evidence: GroupEvidence, _ group: HonestGroup, _ forges: Forgery) -> [Int] {
        guard evidence.samples.count == group.evidence.samples.count else { return Array(evidence.samples.indices) }
        return evidence.samples.indices.filter { index in
            let (forged, honest) = (evidence.samples[index], group.evidence.samples[index])
            switch forges {
            case .computation: return forged.tokens != honest.tokens || forged.commitments != honest.commitments
            case .report: return forged != honest || header(evidence) != header(group.evidence)
            }
        }
    }

    private func header(_ evidence: GroupEvidence) -> GroupEvidence {
        var header = evidence
        header.samples = []
        return header
    }

    private func isWholeGroup(_ evidence: GroupEvidence, _ group: HonestGroup) -> Bool {
        evidence.samples.count != group.evidence.samples.count || header(evidence) != header(group.evidence)
    }

    private func whole(_ evidence: GroupEvidence, _ group: HonestGroup, _ changed: [Int]) -> Prepared {
        let isSound = Checks.examine(evidence, terms: group.terms, rules: rules) == nil
        return Prepared(request: isSound ? ReplayRequest(evidence, terms: group.terms) : nil) { replay in
            [
                Case(
                    evidence: evidence, terms: group.terms, replay: replay, rollouts: changed.count, forged: changed)
            ]
        }
    }

    private func apart(_ evidence: GroupEvidence, _ group: HonestGroup, _ changed: [Int]) -> Prepared {
        // A sample that no cheap check lets through is never replayed; its tokens need not even exist.
        let pairs = changed.map { index in (index, pair(evidence, group, index)) }
        let sound = Set(
            pairs.filter { Checks.examine($0.1.evidence, terms: $0.1.terms, rules: rules) == nil }.map(\.0))
        var request = ReplayRequest(group.evidence, terms: group.terms)
        for index in sound { request.completions[index] = evidence.samples[index].tokens }
        return Prepared(request: sound.isEmpty ? nil : request) { replay in
            pairs.map { index, pair in
                let companion = companion(of: index)
                let both = companion.map { [group.replay.samples[$0]] } ?? []
                let result =
                    sound.contains(index)
                    ? replay.map { ReplayResult(samples: both + [$0.samples[index]]) } : nil
                return Case(
                    evidence: pair.evidence, terms: pair.terms, replay: result, rollouts: 1,
                    forged: [pair.evidence.samples.count - 1])
            }
        }

        func companion(of index: Int) -> Int? { group.evidence.samples.count < 2 ? nil : index == 0 ? 1 : 0 }

        func pair(
            _ evidence: GroupEvidence, _ group: HonestGroup, _ index: Int
        ) -> (evidence: GroupEvidence, terms: LeaseTerms) {
            let honest = companion(of: index).map { [group.evidence.samples[$0]] } ?? []
            var (pair, terms) = (evidence, group.terms)
            pair.samples = honest + [evidence.samples[index]]
            pair.parameters.samples = pair.samples.count
            terms.parameters.samples = pair.samples.count
            return (pair, terms)
        }
    }

    /// What an accepting audit would measure of the forged sample of a case alone, or nil where a cheap check rejects.
    func measured(_ item: Case) -> AuditStatistics? {
        guard let replay = item.replay, item.forged.count == 1 else { return nil }
        let measuring = rules(.toploc(.measuring))
        guard
            case .accepted(let together) = Checks.judge(
                item.evidence, terms: item.terms, rules: measuring, replay: replay)
        else { return nil }
        var (alone, terms) = (item.evidence, item.terms)
        alone.samples = [item.evidence.samples[item.forged[0]]]
        alone.parameters.samples = 1
        terms.parameters.samples = 1
        let result = ReplayResult(samples: [replay.samples[item.forged[0]]])
        guard case .accepted(var statistics) = Checks.judge(alone, terms: terms, rules: measuring, replay: result)
        else { return nil }
        statistics.copyChance = together.copyChance
        return statistics
    }
}
