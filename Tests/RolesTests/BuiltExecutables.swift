import Foundation

/// The executables of the swarm, for tests that start real processes.
enum BuiltExecutables {
    /// Where `swift build` puts them, which is where the test bundle lies.
    static let folder: String = {
        let own =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        return (own as NSString).deletingLastPathComponent
    }()

    /// Whether every member of a swarm is there.
    static let areBuilt = ["orchestrator", "relay", "trainer", "verifier", "rollout-worker"].allSatisfy {
        FileManager.default.isExecutableFile(atPath: folder + "/" + $0)
    }
}
