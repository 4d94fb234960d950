import Foundation
import Testing

@testable import Shardcast

@Suite struct BenchmarkTests {
    /// `APUS_BENCH=1` prints figures of real sizes; otherwise it is only run once, small.
    @Test func measurementRuns() async throws {
        let scratch = try Scratch()
        guard ProcessInfo.processInfo.environment["APUS_BENCH"] != nil else {
            let result = try await RelayBenchmark(directory: scratch.path).run(
                bytes: 100_000, rounds: 1, viaCache: true)
            #expect(result.bytesPerSecond > 0)
            return
        }
        for (bytes, rounds) in [(164_000, 20), (64 << 20, 5)] {
            for viaCache in [false, true] {
                let directory = scratch("\(bytes)-\(viaCache)")
                print(
                    viaCache,
                    try await RelayBenchmark(directory: directory).run(bytes: bytes, rounds: rounds, viaCache: viaCache)
                )
            }
        }
    }
}
