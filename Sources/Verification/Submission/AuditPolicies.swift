/// The verdict policies of a run: one for workers under the canonical arithmetic, one for foreign engines.
public struct AuditPolicies: Sendable, Hashable {
    /// How workers are judged that declare no engine.
    public var native: AuditPolicy
    /// How workers are judged that declare one; nil where the run has no use for them.
    public var foreign: AuditPolicy?

    /// Names both.
    public init(native: AuditPolicy = .exact, foreign: AuditPolicy? = nil) {
        self.native = native
        self.foreign = foreign
    }

    /// The policy for what a worker declared; a foreign engine that is not allowed any more is held to equality.
    public func policy(for engine: String) -> AuditPolicy { engine.isEmpty ? native : foreign ?? .exact }

    /// Whether what a worker declared is compared by tolerances; under `toploc` that is so for every engine.
    public func isTolerant(of engine: String) -> Bool { policy(for: engine) != .exact }
}
