import Testing

@testable import Shardcast

@Suite struct BenchmarkTests {
    /// `apus bench relay` measures; here it is only run, small.
    @Test func measurementRuns() async throws {
        let scratch = try Scratch()
        let result = try await RelayBenchmark(directory: scratch.path).run(
            bytes: 100_000, rounds: 1, clients: 2, relays: 1)
        #expect(result.bytesPerSecond > 0 && result.peakMemoryBytes > 1 << 20)
    }
}
