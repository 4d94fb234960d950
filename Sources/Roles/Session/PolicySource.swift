import Shardcast

/// Where the weights of a policy version come from on this machine.
struct PolicySource: Sendable {
    /// The differences that lead to the version from one that somebody has in memory, in order; none where it is to be read
    /// from its files.
    let differences: [WeightDifference]
    private let bring: @Sendable () async throws -> PolicyFiles

    /// - Parameter bring: Fetches or makes the version's files; called when somebody wants them.
    init(differences: [WeightDifference] = [], bring: @escaping @Sendable () async throws -> PolicyFiles) {
        self.differences = differences
        self.bring = bring
    }

    /// Files that are on this machine's disk.
    init(_ files: PolicyFiles) {
        self.init { files }
    }

    /// The version's files, on this machine's disk.
    ///
    /// - Throws: `ShardcastError`.
    func files() async throws -> PolicyFiles { try await bring() }

    /// What fetching the differences took, one after the other.
    var fetchSeconds: Double { differences.reduce(0) { $0 + $1.duration / .seconds(1) } }
}
