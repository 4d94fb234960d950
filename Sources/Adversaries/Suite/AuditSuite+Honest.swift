import Sampling
import Tensors
import Verification

/// Honest rollouts in one way of computing them.
public struct HonestOutcome: Sendable {
    /// The worker's instruction-set row.
    public let row: KernelRow
    /// The worker's threads.
    public let threads: Int
    /// Whether every sequence was decoded alone, instead of in a batch.
    public let alone: Bool
    /// The verifier's row.
    public let verifierRow: KernelRow
    /// The verifier's threads.
    public let verifierThreads: Int
    /// Sampled tokens.
    public internal(set) var tokens = 0
    /// How the rollouts were judged under `exact`.
    public internal(set) var exact = VerdictTally()
    /// The same under `toploc` with its standard thresholds.
    public internal(set) var toploc = VerdictTally()
}

extension AuditSuite {
    /// Lets honest workers of every row and thread count generate, alone and in company, and verifiers of the next row and
    /// thread count replay; in all at least so many rollouts.
    ///
    /// A worker's row is what it says at its hello, and nothing that is judged depends on it. So a worker that declares
    /// another row than it uses is one whose row is not its verifier's, and must be accepted like every other.
    public func honest(rollouts: Int, _ progress: (String) -> Void = { _ in }) throws -> [HonestOutcome] {
        let machines = settings.rows.flatMap { row in settings.threads.map { (row: row, threads: $0) } }
        var pools: [Int: ComputePool] = [:]
        for count in settings.threads { pools[count] = ComputePool(threads: count) }
        // The scalar row is slow, and so is decoding one by one.
        let ways = machines.indices.flatMap { machine in
            [false, true].map { alone in
                (
                    machine: machine, alone: alone,
                    share: (machines[machine].row == .scalar ? 0.0625 : 1) * (alone ? 0.25 : 1)
                )
            }
        }
        let shares = ways.reduce(0) { $0 + $1.share }
        var outcomes: [HonestOutcome] = []
        var next = 0
        for way in ways {
            let (worker, verifier) = (machines[way.machine], machines[(way.machine + 1) % machines.count])
            progress("honest: \(worker.row), \(worker.threads) threads, \(way.alone ? "alone" : "shared")")
            var outcome = HonestOutcome(
                row: worker.row, threads: worker.threads, alone: way.alone, verifierRow: verifier.row,
                verifierThreads: verifier.threads)
            guard let pool = pools[worker.threads], let verifierPool = pools[verifier.threads] else { continue }
            let kernels = try Kernels(row: worker.row)
            let replayer = Self.replayer(lab, try Kernels(row: verifier.row), verifierPool)
            let groups = max(1, Int((Double(rollouts) * way.share / shares / Double(settings.samples)).rounded(.up)))
            for first in stride(from: 0, to: groups, by: Self.groupsTogether) {
                let count = min(Self.groupsTogether, groups - first)
                let terms = (next..<next + count).map { lab.terms($0, honestParameters($0)) }
                next += count
                let evidence = try lab.generate(terms, alone: way.alone, kernels: kernels, pool: pool)
                judge(evidence, terms, replayer, into: &outcome)
            }
            outcomes.append(outcome)
        }
        return outcomes
    }

    /// Most at the usual temperature, some sharper, some greedy.
    private func honestParameters(_ number: Int) -> SamplingParameters {
        var parameters = parameters
        switch number % 8 {
        case 5, 6: parameters.temperature = 0.6
        case 7: parameters.temperature = 0
        default: break
        }
        return parameters
    }

    private func judge(
        _ evidence: [GroupEvidence], _ terms: [LeaseTerms], _ replayer: Replayer, into outcome: inout HonestOutcome
    ) {
        let foreign = court.rules(.toploc(ForeignEnginePolicy()))
        let replays = Result { try replayer.replay(zip(evidence, terms).map { ReplayRequest($0, terms: $1) }) }
        for (index, item) in evidence.enumerated() {
            let rollouts = item.samples.count
            outcome.tokens += item.samples.reduce(0) { $0 + $1.tokens.count }
            switch replays {
            case .success(let results):
                for (rules, tally) in [(court.rules, \HonestOutcome.exact), (foreign, \HonestOutcome.toploc)] {
                    outcome[keyPath: tally].note(
                        Checks.judge(item, terms: terms[index], rules: rules, replay: results[index]), times: rollouts)
                }
            case .failure(let error):
                // An honest group that cannot even be replayed: no verdict, and the report says so.
                let verdict = Verdict.inconclusive(VerifierFault(reason: "\(error)"))
                outcome.exact.note(verdict, times: rollouts)
                outcome.toploc.note(verdict, times: rollouts)
            }
        }
    }
}
