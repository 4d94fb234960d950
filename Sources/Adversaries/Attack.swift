import Sampling
import Verification

/// One way to cheat, as well as it can be done: a negative control for the checks.
///
/// An attack gets leases together with what an honest worker would submit for them, and forges what a dishonest one
/// submits instead. Where it changes tokens it computes everything else honestly over them, so that nothing but the
/// cheating itself can give it away.
public protocol Attack: Sendable {
    /// Stable, kebab-case.
    var name: String { get }
    /// One sentence for people.
    var summary: String { get }
    /// What must differ from the honest submission for the attack to count.
    var forges: Forgery { get }

    /// The sampling parameters of a lease on which the attack makes sense.
    func parameters(_ base: SamplingParameters, vocabularySize: Int) -> SamplingParameters

    /// What is submitted instead of the honest evidence, one for each group and in their order.
    ///
    /// A sample that cannot be attacked is left as it was; it is counted as a no-op.
    func forge(_ groups: [HonestGroup], in lab: AttackLab) throws -> [GroupEvidence]
}

extension Attack {
    /// Tokens or rows.
    public var forges: Forgery { .computation }
    /// The lease's own.
    public func parameters(_ base: SamplingParameters, vocabularySize: Int) -> SamplingParameters { base }
}

/// What an attack changes.
public enum Forgery: Sendable {
    /// What was computed: a rollout counts where one bit of its tokens or rows differs from the honest ones.
    case computation
    /// What is reported about an honest computation: a rollout counts where anything that is submitted differs.
    case report
}
