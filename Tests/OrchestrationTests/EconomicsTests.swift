import Identity
import Testing

@testable import Orchestration

@Suite("Whether cheating pays")
struct EconomicsTests {
    /// How a worker decides whether its next group is honest.
    enum Strategy {
        case honest
        /// Honest for so many groups, then never again.
        case patient(Int)
        /// Dishonest with a probability, after so many honest groups.
        case sometimes(Double, after: Int)
        /// Dishonest until it was caught so often, honest afterwards.
        case careful(Int, after: Int)
        /// Dishonest but for every so many groups, which it has audited for certain.
        case foreseeing(every: Int, after: Int)
        /// Dishonest with a probability, after so many honest groups; has itself banned as soon as such a group is drawn.
        case escaping(Double, after: Int)

        /// Dishonest for so many groups, after so many honest ones, all handed in before a verifier comes to any of them.
        case bursting(Int, after: Int)

        func cheats(_ number: Int, rejected: UInt64, _ random: inout SplitMix) -> Bool {
            switch self {
            case .honest: false
            case .patient(let honest): number >= honest
            case .sometimes(let share, let honest), .escaping(let share, let honest):
                number >= honest && random.chance(share)
            case .careful(let caught, let honest): number >= honest && rejected < UInt64(caught)
            case .foreseeing(let every, let honest): number >= honest && number % every != 0
            case .bursting: isBurst(number)
            }
        }

        /// Whether no verdict falls before the next group is handed in.
        func isBurst(_ number: Int) -> Bool {
            if case .bursting(let size, let honest) = self { (honest..<honest + size).contains(number) } else { false }
        }

        var escapes: Bool { if case .escaping = self { true } else { false } }

        /// Whether a group is one whose audit is certain.
        func isForeseen(_ number: Int) -> Bool {
            if case .foreseeing(let every, let honest) = self { number >= honest && number % every == 0 } else { false }
        }
    }

    /// What a worker has at the end beyond what its honest groups took to compute, in groups' worth.
    private func gain(_ strategy: Strategy, stake: Int64, floor: UInt32, groups: Int, seed: UInt64) throws -> Double {
        let work: Int64 = 1_000
        let alice = Bench.workers[0]
        let verifier = Bench.verifiers[0]
        var random = SplitMix(seed)
        let invitation = Scenario.invitation(alice)
        var bench = try Bench(steps: 1_000, groupsPerBatch: 1_000) {
            $0.secret = [UInt8(truncatingIfNeeded: seed), UInt8(truncatingIfNeeded: seed >> 8)]
            $0.auditing.mode = .adaptive
            $0.auditing.floor = floor
            $0.auditing.leaseTokens = 1_000
            $0.workers = .invitation([invitation])
            $0.invitedStake = stake
            $0.timing.heartbeat = .max
        }
        var books = Books()
        var problems: [String] = []
        func note(_ actions: [Action], _ bench: inout Bench) {
            for settlement in actions.settlements { problems += books.enter(settlement) }
            for case .scoreGroup(let group) in actions {
                note(bench.send(.groupScored(group: group, rewards: [1])), &bench)
            }
        }
        bench.begin()
        note(bench.join(verifier, .verifier), &bench)
        note(bench.join(alice, .worker, invitation: invitation), &bench)
        var bad: Set<Hash256> = []
        var honest: Int64 = 0
        for number in 0..<groups where bench.run.state.workers[alice]?.ban == nil {
            guard let lease = bench.ask(alice, 1).first else { break }
            let rejected = bench.run.state.workers[alice]?.rejected ?? 0
            let isBad = strategy.cheats(number, rejected: rejected, &random)
            let group = Scenario.invitation(alice).bytes + [UInt8(number & 255), UInt8(number >> 8)]
            let submission = Submission(
                lease: lease.id, group: SHA256.hash(group), tokens: 5,
                work: strategy.isForeseen(number) ? 0 : work)
            if isBad { bad.insert(submission.group) } else { honest += work }
            note(bench.send(.groupSubmitted(submission, from: bench.from(alice))), &bench)
            if isBad, strategy.escapes, bench.run.state.groups[submission.group]?.phase == .queued {
                let second = Submission(lease: lease.id, group: SHA256.hash(group + [1]), tokens: 5, work: work)
                note(bench.send(.groupSubmitted(second, from: bench.from(alice))), &bench)
            }
            if strategy.isBurst(number) { continue }
            note(bench.send(.auditsRequested(from: bench.from(verifier), groups: 64)), &bench)
            for (id, audit) in bench.run.state.audits.sorted(by: { $0.key < $1.key }) {
                let verdict: AuditVerdict =
                    bad.contains(audit.group)
                    ? Bench.rejected() : .accepted(.init(rewards: [1], verifiedFLOPs: work, auditFLOPs: 100))
                note(bench.report(verifier, id, verdict), &bench)
            }
        }
        #expect(problems.isEmpty)
        return Double(books.wealth(alice) - stake - honest) / Double(work)
    }

    private func mean(_ strategy: Strategy, stake: Int64, floor: UInt32, groups: Int = 120) throws -> Double {
        let runs = 60
        var sum = 0.0
        for seed in 0..<runs {
            sum += try gain(strategy, stake: stake, floor: floor, groups: groups, seed: UInt64(seed))
        }
        return sum / Double(runs)
    }

    @Test(
        "An honest worker gets exactly what it computed, promised credit included", arguments: [0, 19_000, 1_000_000])
    func honesty(stake: Int64) throws {
        for seed in 0..<20 as Range<UInt64> {
            #expect(try gain(.honest, stake: stake, floor: 50_000, groups: 150, seed: seed) == 0)
        }
    }

    @Test(
        "No pattern of cheating pays on average, with little stake or much",
        arguments: [0, 5_000, 1_000_000], [20_000, 50_000] as [UInt32])
    func cheating(stake: Int64, floor: UInt32) throws {
        let strategies: [Strategy] = [
            .patient(0), .patient(10), .patient(11), .patient(40), .patient(110), .sometimes(0.05, after: 12),
            .sometimes(0.3, after: 12), .careful(1, after: 11), .careful(2, after: 40),
            .foreseeing(every: 4, after: 20),
            .foreseeing(every: 2, after: 40), .escaping(0.3, after: 11), .escaping(1, after: 20),
            .escaping(0.1, after: 11), .bursting(10, after: 10), .bursting(10, after: 11), .bursting(19, after: 20),
            .bursting(19, after: 30), .bursting(40, after: 40),
        ]
        for strategy in strategies {
            let gain = try mean(strategy, stake: stake, floor: floor)
            // Who has nothing yet has nothing to lose, and gains nothing.
            let hasNothing = if case .patient(0) = strategy { stake == 0 } else { false }
            #expect(
                gain < 0 || (hasNothing && gain == 0),
                "\(strategy) with stake \(stake) at floor \(floor) gains \(gain) groups")
        }
    }
}
