import Identity

@testable import Orchestration

/// Sees every journaled fact and every settlement, and knows what must never happen.
final class Witness {
    private let scenario: Scenario
    /// The state that the journal alone amounts to.
    private(set) var shadow = DurableState()
    private var received: Set<Hash256> = []
    private var fates: [Hash256: String] = [:]
    private var batchOf: [Hash256: UInt64] = [:]
    private var batches: [UInt64: [Hash256]] = [:]
    private var settlements: [String: Settlement] = [:]
    private var leases: Set<UInt64> = []
    private var audits: Set<UInt64> = []
    private var earned: [PublicKey: Int64] = [:]
    private var staked: [PublicKey: Int64] = [:]
    private var audited: [PublicKey: Int64] = [:]
    /// Audits that passed: whose group they were of, which, and how much other work they may vouch for.
    private var passed: [UInt64: (worker: PublicKey, group: Hash256, reach: Int64)] = [:]
    /// Verified FLOPs under the canonical arithmetic since the last rejection.
    private var streaks: [PublicKey: Int64] = [:]
    private var revoked: Set<Hash256> = []
    private var tolerated: Set<Hash256> = []
    private var replayed: Set<Hash256> = []
    private var checked: Set<Hash256> = []
    private var draws: [UInt64: [(group: Hash256, probability: UInt32, isDrawn: Bool)]] = [:]
    private var commitments: [UInt64: Hash256] = [:]
    private(set) var books = Books()
    private var refunded: Set<PublicKey> = []

    init(_ scenario: Scenario) { self.scenario = scenario }

    /// A message that depends on a fact stands after it.
    func checkOrder(_ actions: [Action]) -> [String] {
        var newGroups: Set<Hash256> = []
        var newLeases: Set<UInt64> = []
        var newAudits: Set<UInt64> = []
        var newBatches: [UInt64: [Hash256]] = [:]
        var problems: [String] = []
        for action in actions {
            switch action {
            case .journal(.groupReceived(let group, _, _, _, _, _)): newGroups.insert(group)
            case .journal(.leaseGranted(let lease, _, _, _, _, _)): newLeases.insert(lease)
            case .journal(.auditAssigned(let audit, _, _)), .journal(.checkAssigned(let audit, _, _)):
                newAudits.insert(audit)
            case .journal(.batchCut(let step, let groups)): newBatches[step] = groups
            case .sendReceipt(_, let receipt)
            where !received.contains(receipt.group) && !newGroups.contains(receipt.group):
                problems.append("a receipt before its fact")
            case .sendLeases(_, let sent)
            where !sent.allSatisfy({ leases.contains($0.id) || newLeases.contains($0.id) }):
                problems.append("a lease before its fact")
            case .sendAudits(_, let sent)
            where !sent.allSatisfy({ audits.contains($0.id) || newAudits.contains($0.id) }):
                problems.append("an audit before its fact")
            case .sendBatch(_, let step, let groups) where (newBatches[step] ?? batches[step]) != groups:
                problems.append("a batch before its fact, or another one")
            default: break
            }
        }
        return problems
    }

    /// Takes in one transaction.
    func record(_ actions: [Action]) -> [String] {
        var problems: [String] = []
        for action in actions {
            switch action {
            case .journal(let fact):
                problems += record(fact)
                do { try shadow.apply(fact) } catch { problems.append("\(error)") }
            case .settle(let settlement):
                if settlements.updateValue(settlement, forKey: settlement.reference) != nil {
                    problems.append("\(settlement.reference) is settled twice")
                }
                record(settlement)
                problems += books.enter(settlement)
            default: break
            }
        }
        return problems
    }

    private func record(_ fact: Fact) -> [String] {
        switch fact {
        case .leaseGranted(let lease, _, _, let worker, _, _):
            leases.insert(lease)
            return shadow.workers[worker]?.ban == nil ? [] : ["a banned worker got a lease"]
        case .auditAssigned(let audit, let group, let verifier):
            audits.insert(audit)
            return checkAssignment(group, verifier)
        case .groupReceived(let group, let lease, _, _, _, _):
            if shadow.leases[lease]?.engine.isEmpty == false { tolerated.insert(group) }
            return received.insert(group).inserted ? [] : ["a group was journaled twice"]
        case .groupAccepted(let group, let audit, _, let work, _, _):
            if let record = shadow.groups[group] {
                passed[audit] = (record.worker, group, reach(record))
                if !record.isAlwaysAudited { streaks[record.worker, default: 0] += work }
            }
            replayed.insert(group)
            return fate(group, "accepted")
        case .checkPassed(let audit, _):
            if let record = shadow.audits[audit], let group = shadow.groups[record.group] {
                passed[audit] = (group.worker, record.group, record.purpose == .vesting ? reach(group) : 0)
                replayed.insert(record.group)
            }
            return []
        case .checkOpened(let group, _), .contestSettled(let group, _):
            checked.insert(group)
            return []
        case .groupScored(let group, _, _): return fate(group, "provisional")
        case .groupPicked(let group, _):
            fates[group] = nil
            return []
        case .groupVested(let group, let worker, let audit, _):
            // A batched or discarded group keeps what it was.
            if fates[group] == "provisional" { fates[group] = "vested" }
            return checkVesting(group, worker, audit)
        case .creditForfeited(let worker, _, _, _, _):
            return kind(worker) == .honest ? ["an honest worker forfeits credit"] : []
        case .acceptanceRevoked(let group, _):
            checked.insert(group)
            let worker = shadow.groups[group]?.worker
            if let worker { streaks[worker] = 0 }
            if !revoked.insert(group).inserted { return ["a group is punished twice"] }
            return worker.flatMap(kind) == .honest ? ["an honest group was revoked"] : []
        case .auditDrawn(let group, let epoch, let probability, let isDrawn):
            draws[epoch, default: []].append((group, probability, isDrawn))
            return shadow.groups[group]?.isAlwaysAudited == true ? ["a foreign group may go unaudited"] : []
        case .epochBegan(let epoch, let commitment, let next):
            let isKnown = epoch == 0 || commitments[epoch] == commitment
            commitments[epoch] = commitment
            commitments[epoch + 1] = next
            return isKnown ? [] : ["a secret changed after it was committed to"]
        case .epochRevealed(let epoch, let secret): return checkDraws(epoch, secret)
        case .checkAssigned(let audit, let group, let verifier):
            audits.insert(audit)
            return shadow.groups[group]?.worker == verifier ? ["a verifier checks itself"] : []
        case .groupRejected(let group, let lease, let audit, _, _):
            if let worker = shadow.leases[lease]?.worker { streaks[worker] = 0 }
            return audit > 0 ? fate(group, "rejected") : []
        case .groupWithdrawn(let group, _):
            if fates[group] == "provisional" { fates[group] = nil }
            return fate(group, "withdrawn")
        case .groupDiscarded(let group, _): return batchOf[group] == nil ? [] : ["a batched group was discarded"]
        case .batchCut(let step, let groups): return record(batch: step, groups)
        case .workerBanned(let worker, _, _):
            streaks[worker] = 0
            return checkBan(worker)
        case .verifierBanned(let verifier, _):
            let index = Scenario.keys.firstIndex(of: verifier).map { $0 - 8 }
            return index.map { [.liar, .colluder].contains(scenario.verifiers[$0]) } == true
                ? [] : ["an honest verifier was banned"]
        default: return []
        }
    }

    /// How much an audit may vouch for: nothing where its worker could foresee it.
    private func reach(_ record: GroupRecord) -> Int64 {
        guard let draw = record.draw, !record.isAlwaysAudited, record.vouchesThrough > 0 else { return 0 }
        let odds = Double(AuditDraw.certain - draw.probability) / Double(draw.probability)
        return Int64(2 * odds * Double(record.work)) + 2
    }

    private func checkVesting(_ group: Hash256, _ worker: PublicKey, _ audit: UInt64) -> [String] {
        guard let passing = passed[audit], passing.worker == worker else {
            return ["credit vested without a passed audit of its worker"]
        }
        guard passing.group != group else { return [] }
        let amount = shadow.workers[worker]?.unvested.first { $0.group == group }?.amount ?? 0
        passed[audit]?.reach -= amount
        return amount > passing.reach ? ["an audit vouches for more than it reaches, or could be foreseen"] : []
    }

    private func checkAssignment(_ group: Hash256, _ verifier: PublicKey) -> [String] {
        guard let record = shadow.groups[group], let worker = shadow.workers[record.worker] else { return ["no group"] }
        var problems = record.worker == verifier ? ["a verifier audits itself"] : []
        if record.dispute?.accuser == verifier { problems.append("a verifier confirms itself") }
        if worker.isOnProbation(isForeign: record.isAlwaysAudited), record.dispute == nil,
            worker.auditing + worker.disputed >= max(1, 3 - worker.strikes)
        {
            problems.append("too many groups of one worker on probation are in audit")
        }
        return problems
    }

    private func fate(_ group: Hash256, _ fate: String) -> [String] {
        guard let before = fates.updateValue(fate, forKey: group) else { return [] }
        return ["a group was \(before) and then \(fate)"]
    }

    private func record(batch step: UInt64, _ groups: [Hash256]) -> [String] {
        var problems: [String] = []
        var provisional: [PublicKey: Int] = [:]
        if groups.count != scenario.groupsPerBatch { problems.append("batch \(step) has \(groups.count) groups") }
        for group in groups {
            if batchOf.updateValue(step, forKey: group) != nil { problems.append("a group is in two batches") }
            switch fates[group] {
            case "accepted", "vested": break
            case "provisional":
                if let worker = shadow.groups[group]?.worker { provisional[worker, default: 0] += 1 }
            default: problems.append("a group without acceptance is in a batch")
            }
            let version = shadow.groups[group].flatMap { shadow.versions[$0.version] }
            if let version, version.step + scenario.staleness + 1 < step { problems.append("a stale group is batched") }
            if version == nil { problems.append("a batched group has no version") }
        }
        batches[step] = groups
        let size = groups.count
        let total = provisional.values.reduce(0, +)
        if total * 4 > size || (provisional.values.max() ?? 0) > max(1, size / 20)
            || (step == scenario.steps && total > 0)
        {
            problems.append("\(provisional.values) of \(size) groups of batch \(step) are provisional")
        }
        return problems
    }

    /// Anyone can re-check the draws of an epoch once its secret is told.
    private func checkDraws(_ epoch: UInt64, _ secret: Hash256) -> [String] {
        guard commitments[epoch] == SHA256.hash(secret.bytes) else { return ["the secret is not the committed one"] }
        let isFair = (draws[epoch] ?? []).allSatisfy {
            AuditDraw.isDrawn($0.group, probability: $0.probability, secret: secret) == $0.isDrawn
                && $0.probability >= scenario.auditing.floor
        }
        return isFair ? [] : ["a draw of epoch \(epoch) does not follow from its secret"]
    }

    /// Whether one more replay of a group was asked for, or it was decided without one.
    func wasChecked(_ group: Hash256) -> Bool { checked.contains(group) }

    func wasReplayed(_ group: Hash256) -> Bool { replayed.contains(group) }

    /// Whether a group is compared by tolerances.
    func isTolerated(_ group: Hash256) -> Bool { tolerated.contains(group) }

    private func record(_ settlement: Settlement) {
        switch settlement {
        case .earned(let worker, _, let amount, let withheld):
            earned[worker, default: 0] += amount
            staked[worker, default: 0] += withheld
        case .audited(let verifier, _, let amount): audited[verifier, default: 0] += amount
        case .staked(let worker, _, let amount): staked[worker, default: 0] += amount
        case .slashed(let worker): staked[worker] = 0
        case .vested(let worker, _, let amount, let withheld):
            earned[worker, default: 0] += amount
            staked[worker, default: 0] += withheld
        case .revoked(let worker, _, let amount): earned[worker, default: 0] -= min(earned[worker] ?? 0, amount)
        case .refunded(let worker, _, _): refunded.insert(worker)
        case .charged, .promised, .forfeited, .fined: break
        }
    }

    private func kind(_ worker: PublicKey) -> Scenario.WorkerKind? {
        Scenario.keys.firstIndex(of: worker).flatMap { $0 < scenario.workers.count ? scenario.workers[$0] : nil }
    }

    private func checkBan(_ worker: PublicKey) -> [String] {
        // Whom a verifier covers, the others catch later.
        let isCovered = scenario.verifiers.contains(.colluder)
        guard let kind = kind(worker), let record = shadow.workers[worker] else { return ["a stranger was banned"] }
        switch kind {
        case .honest, .foreign: return ["an honest worker was banned"]
        case .cheater where record.audited > 3 && !isCovered:
            return ["a cheater was banned after \(record.audited) audits"]
        case .lateCheater where record.rejected > 3,
            .patient where record.rejected > 3,
            .sometimes where record.rejected > 3, .malformed where record.rejected > 3,
            .foreseer where record.rejected > 3, .switcher where record.rejected > 3:
            return ["a cheater was banned after \(record.rejected) rejections"]
        default: return []
        }
    }

    func checkReceipt(_ receipt: Receipt) -> [String] {
        received.contains(receipt.group) ? [] : ["a receipt for a group that is not journaled"]
    }

    func checkBatch(_ step: UInt64, _ groups: [Hash256]) -> [String] {
        batches[step] == groups ? [] : ["batch \(step) came in another shape"]
    }

    /// Nothing grows with uptime.
    func checkBounds(_ run: borrowing Run) -> [String] {
        let state = run.state
        let uncovered = Int(state.cutStep - state.stableStep)
        let slots = (uncovered + Int(scenario.pace) + 2 + Int(scenario.staleness)) * scenario.groupsPerBatch
        let presence = run.presence
        let isBounded =
            state.slots.count <= slots
            && state.groups.count <= slots * (1 + Slot.rememberedGroups) + state.keptGroups.count
            && state.keptGroups.filter { state.groups[$0]?.check == nil }.count <= state.workers.count
            && state.leases.count <= slots * Slot.rememberedLeases
            && state.audits.count <= 2 * slots + state.keptGroups.count
            && state.versions.count <= DurableState.rememberedVersions + state.leases.count
            && presence.leaseClocks.count == state.liveLeases.count
            && presence.auditDeadlines.count == state.audits.count
            && presence.disputes.count <= state.groups.count + slots
            && presence.keys.count <= 16 && presence.members.count <= 16
            && presence.waitingWorkers.count <= 8 && presence.waitingVerifiers.count <= 8
        var problems = isBounded ? [] : ["something is out of bounds"]
        for (worker, record) in state.workers {
            if record.strikes >= 3, record.ban == nil { problems.append("three strikes and not out") }
            if [.honest, .foreign].contains(kind(worker)), record.strikes > 0 {
                problems.append("an honest worker has a strike")
            }
        }
        return problems
    }

    /// At the end, everything adds up.
    func checkEnd(_ run: Run) -> [String] {
        var problems: [String] = []
        let state = run.state
        if state != shadow { problems.append("the live state is not what the journal says") }
        if state.doneStep != scenario.steps { problems.append("stopped at step \(state.doneStep)") }
        if batches.count != Int(scenario.steps) { problems.append("\(batches.count) batches") }
        problems += books.check(state)
        for (key, worker) in state.workers where !refunded.contains(key) {
            if worker.earned != earned[key] ?? 0 { problems.append("earnings do not add up") }
            if worker.staked != staked[key] ?? 0 { problems.append("stakes do not add up") }
        }
        for (key, worker) in state.workers where worker.streak != streaks[key] ?? 0 {
            problems.append("a streak is not what was verified under the canonical arithmetic")
        }
        for (key, verifier) in state.verifiers where verifier.earned != audited[key] ?? 0 {
            problems.append("audit earnings do not add up")
        }
        for (group, settled) in fates
        where settled == "accepted" && settlements["earned/\(group.hex)"] == nil
            && settlements["vested/\(group.hex)"] == nil
        {
            problems.append("an accepted group has no credit")
        }
        return problems
    }
}
