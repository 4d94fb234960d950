import Foundation
import Identity
import Testing
import Verification

@testable import Roles

@Suite("What the groups of a foreign worker add up to")
struct ForeignMarginsTests {
    /// A group of 64 tokens, every so-manieth of which lies so far off.
    private func group(_ margin: Float, every: Int) -> MarginTally {
        MarginTally((0..<64).map { $0 % every == 0 ? margin : 0 })
    }

    @Test("A worker whose mean margin is for certain above any engine's own is found out, an honest one never")
    func total() throws {
        var margins = ForeignMargins()
        let (honest, picker) = (TestKeys.worker, TestKeys.verifier)
        var caught: Int?
        for number in 1...200 {
            // The largest mean that an honest sample was seen to have, all the time.
            #expect(ForeignMargins.finding(margins.add(group(0.0035 * 16, every: 16), of: honest)) == nil)
            // Each of these groups passes: its mean is 0.02, a single sample may have 0.05.
            let tally = margins.add(group(0.32, every: 16), of: picker)
            if caught == nil, ForeignMargins.finding(tally) != nil { caught = number }
        }
        #expect(try #require(caught) < 20)
    }

    @Test("Tallies are kept over restarts, the newest of each worker")
    func kept() throws {
        let path = NSTemporaryDirectory() + "apus-margins-\(UUID().uuidString).sqlite"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let database = try RunDatabase(path: path, run: .zero)
        #expect(try database.margins().isEmpty)
        for every in [16, 8] {
            var turn = RunDatabase.Turn()
            turn.margins = [.init(worker: TestKeys.worker, tally: group(0.1, every: every))]
            try database.commit(turn)
        }
        #expect(try RunDatabase(path: path, run: .zero).margins() == [TestKeys.worker: group(0.1, every: 8)])
    }
}
