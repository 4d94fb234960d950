import Identity

@testable import Orchestration

/// What one simulated run is like; everything follows from the seed.
struct Scenario {
    enum WorkerKind {
        case honest, cheater, lateCheater, equivocator, malformed, idle, patient, sometimes
        /// Cheats, but has a group audited for certain now and then, and is honest in that.
        case foreseer
        /// Joins with another engine, whose groups pass whatever they hold, and later without it, to cheat.
        case switcher
        /// Joins with another engine and is honest.
        case foreign
    }
    enum VerifierKind { case honest, lazy, liar, colluder }

    var seed: UInt64
    var steps: UInt64 = 4
    var groupsPerBatch = 4
    var pace: UInt64 = 1
    var staleness: UInt64 = 2
    var workers: [WorkerKind] = [.honest, .honest, .cheater]
    var verifiers: [VerifierKind] = [.honest]
    var loss = 0.0
    var duplication = 0.0
    var delay: UInt64 = 3
    /// Kills of each process, at random moments; the process comes back.
    var kills = 0
    var checkpointInterval: UInt64 = 2
    var publishesRollbacks = false
    var auditing = Run.Auditing()
    var invitedStake: Int64 = 0
    /// How often the trainer cannot compute an unaudited group.
    var trainerFaults = 0.0

    /// A random scenario in which trusted workers' groups are not all audited.
    static func adaptive(_ seed: UInt64) -> Scenario {
        var scenario = Scenario.random(seed)
        var random = SplitMix(seed ^ 0x5EED)
        scenario.auditing.mode = .adaptive
        scenario.auditing.floor = random.pick([20_000, 50_000, 200_000])
        scenario.auditing.trustedAfter = Int64(1 + random.below(4))
        scenario.auditing.epochGroups = 1 + random.below(20)
        scenario.auditing.plantRate = random.pick([0, 50_000, 300_000])
        scenario.auditing.repeatRate = random.pick([0, 50_000, 300_000])
        scenario.auditing.leaseTokens = random.pick([1, 10, 40])
        scenario.steps = 4 + random.below(8)
        scenario.groupsPerBatch = 1 + Int(random.below(24))
        scenario.invitedStake = random.pick([0, 20_000, 200_000])
        scenario.trainerFaults = random.pick([0, 0, 0.05])
        for index in scenario.workers.indices.dropFirst() where random.chance(0.5) {
            scenario.workers[index] = random.pick([
                .patient, .sometimes, .honest, .foreseer, .switcher, .foreign,
            ])
        }
        if scenario.kills == 0, scenario.verifiers.count >= 2, !scenario.verifiers.contains(.liar), random.chance(0.4) {
            scenario.verifiers += [.honest, .colluder]
        } else if scenario.kills == 0, scenario.verifiers == [.honest], random.chance(0.5) {
            // One against one.
            scenario.verifiers.append(.colluder)
        }
        return scenario
    }

    /// A random scenario.
    static func random(_ seed: UInt64) -> Scenario {
        var random = SplitMix(seed)
        var scenario = Scenario(seed: seed)
        scenario.steps = 2 + random.below(5)
        scenario.groupsPerBatch = 1 + Int(random.below(6))
        scenario.pace = random.below(4)
        scenario.staleness = random.below(4)
        scenario.workers = (0...random.below(4)).map { _ in
            random.pick([.honest, .honest, .honest, .cheater, .lateCheater, .equivocator, .malformed, .idle])
        }
        scenario.workers[0] = .honest
        scenario.verifiers = [.honest] + (0..<random.below(3)).map { _ in random.pick([.honest, .lazy]) }
        scenario.loss = random.pick([0, 0, 0.05, 0.25])
        scenario.duplication = random.pick([0, 0, 0.1, 0.4])
        scenario.delay = random.pick([1, 5, 40, 150])
        scenario.kills = Int(random.pick([0, 0, 1, 2, 4]))
        // A liar alone, or two of them, would be believed: the lab must not run such verifiers only.
        if scenario.kills == 0, random.chance(0.5) { scenario.verifiers.append(.liar) }
        scenario.checkpointInterval = 1 + random.below(3)
        scenario.publishesRollbacks = random.chance(0.5)
        return scenario
    }

    /// Fixed keys, since making them costs more than a run.
    static let keys: [PublicKey] = (0..<16).compactMap {
        SigningKey(seed: [UInt8](repeating: $0 + 1, count: 32))?.publicKey
    }
    static let trainerKey = keys[15]
    static func invitation(_ key: PublicKey) -> Hash256 { SHA256.hash(Array(key.rawBytes)) }
    func workerKey(_ index: Int) -> PublicKey { Self.keys[index] }
    func verifierKey(_ index: Int) -> PublicKey { Self.keys[8 + index] }

    var configuration: Run.Configuration {
        var configuration = Run.Configuration(
            runID: .zero, secret: [1, 2, 3], steps: steps, groupsPerBatch: groupsPerBatch, pace: pace,
            maximumStaleness: staleness, trainers: [Self.trainerKey])
        configuration.timing.lease = 2_000
        configuration.timing.leaseRenewals = 3
        configuration.timing.audit = 1_500
        configuration.timing.heartbeat = 1_500
        configuration.timing.reconnect = 2_500
        configuration.timing.fairShare = 30
        configuration.timing.finish = 3_000
        configuration.limits.probationGroups = 4
        configuration.auditing = auditing
        configuration.timing.rejection = auditing.mode == .adaptive ? 20 : 0
        if invitedStake > 0 {
            configuration.invitedStake = invitedStake
            configuration.workers = .invitation(
                Set(workers.indices.map { Self.invitation(workerKey($0)) }))
        }
        return configuration
    }
}
