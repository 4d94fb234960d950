import Identity
import Sampling
public import Tensors
import Transformer
public import Verification

/// Runs honest workers and every attack against a model, and judges them by the orchestrator's own code.
///
/// Not safe for use from several threads at once.
public final class AuditSuite {
    /// What a report is made with.
    public struct Settings: Sendable {
        /// Samples of each group.
        public var samples = 8
        /// Tokens of a sample at most.
        public var maximumTokens = 48
        /// The tokens that end a sample.
        public var stopTokens: [Int32]
        /// The instruction-set rows that honest workers and verifiers use by turns.
        public var rows: [KernelRow]
        /// The numbers of threads that they use by turns.
        public var threads: [Int]
        /// The relative deviation of the simulated foreign engine's rows.
        public var foreignNoise: Float = 0.01
        /// The top-k of the foreign engine's leases; 0 for none.
        public var foreignTopK = 0

        /// The settings of a report.
        public init(stopTokens: [Int32], rows: [KernelRow], threads: [Int]) {
            self.stopTokens = stopTokens
            self.rows = rows
            self.threads = threads
        }
    }

    /// The wire schema that both sides of a report speak.
    static let schemaVersion: UInt32 = 1
    /// An attack may leave most rollouts as they were; after so many for each effective one that is wanted, it is over.
    static let tries = 16
    /// Groups that are generated and replayed together.
    static let groupsTogether = 32

    /// The attackers' side.
    public let lab: AttackLab
    /// What the report is made with.
    public let settings: Settings
    let court: RolloutCourt
    private var honestGroups: [SamplingParameters: [HonestGroup]] = [:]

    /// A suite against the weights of a lab.
    public init(_ lab: AttackLab, _ settings: Settings) {
        self.lab = lab
        self.settings = settings
        court = RolloutCourt(
            replayer: Self.replayer(lab, lab.kernels, lab.pool),
            rules: AuditRules(
                schemaVersion: Self.schemaVersion, arithmeticVersion: ArithmeticVersion.current,
                vocabularySize: lab.configuration.vocabularySize, hiddenSize: lab.configuration.hiddenSize))
    }

    static func replayer(_ lab: AttackLab, _ kernels: Kernels, _ pool: ComputePool) -> Replayer {
        Replayer(
            weights: lab.weights, kernels: kernels, pool: pool,
            limits: ReplayLimits(cacheBytes: 1 << 30, configuration: lab.configuration))
    }

    /// The parameters of a lease, unless an attack needs others.
    var parameters: SamplingParameters {
        SamplingParameters(
            samples: settings.samples, maximumTokens: settings.maximumTokens, stopTokens: settings.stopTokens)
    }

    /// Honest groups with their replays, made once.
    func honestGroups(_ range: Range<Int>, _ parameters: SamplingParameters) throws -> [HonestGroup] {
        var known = honestGroups[parameters] ?? []
        while known.count < range.upperBound {
            let count = min(Self.groupsTogether, range.upperBound - known.count)
            let terms = (known.count..<known.count + count).map { lab.terms($0, parameters) }
            let evidence = try lab.generate(terms)
            let replays = try court.replayer.replay(zip(evidence, terms).map { ReplayRequest($0, terms: $1) })
            for (index, item) in terms.enumerated() {
                known.append(HonestGroup(terms: item, evidence: evidence[index], replay: replays[index]))
            }
            honestGroups[parameters] = known
        }
        return Array(known[range])
    }

    /// What honest workers submit for the first leases.
    public func submissions(_ count: Int) throws -> [GroupEvidence] {
        try honestGroups(0..<count, parameters).map(\.evidence)
    }

    /// Runs one attack until so many of its rollouts were effective, or sixteen times as many were tried.
    ///
    /// - Parameter calibrated: the tightest thresholds that no honest foreign rollout exceeded.
    public func run(
        _ attack: any Attack, rollouts: Int, calibrated: ForeignEnginePolicy
    ) throws -> AttackOutcome {
        let parameters = attack.parameters(parameters, vocabularySize: lab.configuration.vocabularySize)
        var outcome = AttackOutcome(name: attack.name, summary: attack.summary)
        let (configured, tight) = (court.rules(.toploc(ForeignEnginePolicy())), court.rules(.toploc(calibrated)))
        var next = 0
        while outcome.effective < rollouts, outcome.rollouts < Self.tries * rollouts {
            let wanted = min(rollouts - outcome.effective, Self.tries * rollouts - outcome.rollouts)
            let count = min(Self.groupsTogether, (wanted + parameters.samples - 1) / parameters.samples)
            let groups = try honestGroups(next..<next + count, parameters)
            next += count
            let (unchanged, cases) = try court.cases(try attack.forge(groups, in: lab), groups, attack.forges)
            outcome.unchanged += unchanged
            for item in cases {
                outcome.exact.note(item.verdict(court.rules), times: item.rollouts)
                outcome.toploc.note(item.verdict(configured), times: item.rollouts)
                outcome.calibrated.note(item.verdict(tight), times: item.rollouts)
                for check in Checks.replay where item.isRejected(by: check, tight) {
                    outcome.alone[check.name, default: 0] += item.rollouts
                }
                if let measured = court.measured(item) { outcome.measured.append(measured) }
            }
        }
        lab.forgetWeights()
        return outcome
    }
}
