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

    private let worker = TestKeys.worker
    private let first = SigningKey().publicKey
    private let second = SigningKey().publicKey

    @Test("With one verifier, a mean that is for certain above any engine's own is found out, an honest one never")
    func total() throws {
        var margins = ForeignMargins()
        let (honest, picker) = (TestKeys.worker, TestKeys.verifier)
        var caught: Int?
        for number in 1...200 {
            // The largest mean that an honest sample was seen to have, all the time.
            _ = margins.add(group(0.0035 * 16, every: 16), of: honest, by: first)
            #expect(margins.finding(against: honest, verifiers: [first]) == nil)
            // Each of these groups passes: its mean is 0.02, a single sample may have 0.05.
            _ = margins.add(group(0.32, every: 16), of: picker, by: first)
            if caught == nil, margins.finding(against: picker, verifiers: [first]) != nil { caught = number }
        }
        #expect(try #require(caught) < 20)
    }

    @Test("A verifier that invents margins refuses nobody alone, whether the other one has reported yet or not")
    func invented() {
        var margins = ForeignMargins()
        for _ in 1...50 {
            _ = margins.add(group(0.02, every: 1), of: worker, by: first)
            #expect(margins.finding(against: worker, verifiers: [first, second]) == nil)
        }
        for _ in 1...50 {
            _ = margins.add(group(0, every: 1), of: worker, by: second)
            #expect(margins.finding(against: worker, verifiers: [first, second]) == nil)
        }
        // A word that was worth a ban is worth nothing afterwards.
        #expect(margins.finding(against: worker, verifiers: [second]) == nil)
    }

    @Test("Two verifiers that each saw enough refuse a worker; zeros of a third cover nobody")
    func agreed() throws {
        var margins = ForeignMargins()
        let third = TestKeys.verifier
        for _ in 1...4 {
            _ = margins.add(group(0.02, every: 1), of: worker, by: first)
            _ = margins.add(group(0, every: 1), of: worker, by: third)
        }
        for _ in 1...3 {
            _ = margins.add(group(0.02, every: 1), of: worker, by: second)
            // 192 tokens say nothing yet.
            #expect(margins.finding(against: worker, verifiers: [first, second, third]) == nil)
        }
        _ = margins.add(group(0.02, every: 1), of: worker, by: second)
        let finding = try #require(margins.finding(against: worker, verifiers: [first, second, third]))
        #expect(finding.check == "margin-total" && finding.severity == .soft && finding.reason.contains("2 verifiers"))
        #expect(margins.finding(against: worker, verifiers: [first, third]) == nil, "the second one was banned")
        #expect(margins.finding(against: worker, verifiers: []) == nil)
    }

    @Test("Tallies are kept over restarts, the newest of each worker and verifier")
    func kept() throws {
        let path = NSTemporaryDirectory() + "apus-margins-\(UUID().uuidString).sqlite"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let database = try RunDatabase(path: path, run: .zero)
        #expect(try database.margins().isEmpty)
        for every in [16, 8] {
            var turn = RunDatabase.Turn()
            turn.margins = [
                .init(worker: worker, verifier: first, tally: group(0.1, every: every)),
                .init(worker: worker, verifier: second, tally: group(0.1, every: every * 2)),
            ]
            try database.commit(turn)
        }
        #expect(
            try RunDatabase(path: path, run: .zero).margins() == [
                worker: [first: group(0.1, every: 8), second: group(0.1, every: 16)]
            ])
    }
}
