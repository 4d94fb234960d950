import Generation
import Identity
import Orchestration

/// What generates a worker's groups: this machine's own engine, or a server that it asks.
protocol GroupEngine: Actor {
    /// Takes in a group, and returns when it can be left to itself; `cancel(_:)` ends the wait.
    ///
    /// - Throws: Why the group cannot be generated here; its lease is then given back.
    func add(_ request: GroupRequest, version: PolicyVersion, _ source: PolicySource) async throws
    /// Drops a group, wherever it is.
    func cancel(_ group: Hash256)
    /// A version can be made ready ahead of its first group.
    func announce(_ version: PolicyVersion, _ source: PolicySource)
    /// Works for a while.
    ///
    /// - Returns: The groups that were finished, and whether nothing more is left to do in steps.
    func step() throws -> (finished: [GenerationDesk.Finished], isIdle: Bool)
    /// Tokens generated so far.
    var tokensGenerated: UInt64 { get }
    /// The newest version in memory or on its way there, which differences may start from; nil where files are needed.
    var newest: PolicyVersion? { get }
    /// What the newest change of versions took; nil before one was measured.
    var adoption: Adoption? { get }
}
