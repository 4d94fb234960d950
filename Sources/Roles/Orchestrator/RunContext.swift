import EnvironmentKit
import Identity
import Sampling

/// What an orchestrator knows about its run and never changes while it lives.
struct RunContext: Sendable {
    /// The run's identity, in every envelope.
    let id: Hash256
    /// The run's name, for people.
    let name: String
    /// Where the run lives.
    let directory: RunDirectory
    /// The lab's keys: they sign receipts and manifests.
    let keys: NodeKeys
    /// Where weights can be fetched.
    let relays: [String]
    /// The environment and its tasks.
    let tasks: TaskBook
    /// How every group is sampled.
    let sampling: SamplingParameters
    /// The vocabulary, for token checks.
    let vocabularySize: Int
    /// The arithmetic that everybody must compute.
    let arithmeticVersion: UInt32
    /// How often members give a sign of life.
    let heartbeatMilliseconds: UInt64

    var environmentID: String { tasks.environment.id }
    var environmentHash: Hash256 { tasks.environment.hash }
    var stopTokens: Set<Int32> { Set(sampling.stopTokens) }
}
