import Foundation
import Identity
import Messages
import Testing

@testable import Roles

@Suite("Replays of one group by several verifiers")
struct ReplayReadingsTests {
    private func report(_ change: (inout Wire.AuditReport) -> Void = { _ in }) throws -> [UInt8] {
        var report = Wire.AuditReport()
        for _ in 0..<2 {
            var sample = Wire.ReplayedSample()
            sample.commitments = [Data(count: 32)]
            sample.logProbabilities = [-1, -2, -3, -4, -5, -6, -7]
            sample.replayedTokens = [1, 2, 3, 4, 5, 6, 7]
            report.samples.append(sample)
        }
        report.seconds = Double.random(in: 0...1)
        change(&report)
        return [UInt8](try report.serializedData())
    }

    @Test("Honest replays are equal; -1e30 for just under half of the tokens, which a median allows, is not")
    func compares() throws {
        let path = NSTemporaryDirectory() + "apus-readings-\(UUID().uuidString).sqlite"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let database = try RunDatabase(path: path, run: .zero)
        let keys = (0..<4).map { _ in SigningKey().publicKey }
        var turn = RunDatabase.Turn()
        turn.replays.append(.init(hash: .zero, report: try report(), rewards: [0, 0], verifier: keys[0].hex))
        try database.commit(turn)
        let readings = ReplayReadings(database: database)
        let forged = try report { for index in 0..<3 { $0.samples[1].logProbabilities[index * 2] = -1e30 } }
        #expect(try readings.compare(forged, by: keys[1], of: .zero) == .init(unequal: [keys[0]]))
        let third = try readings.compare(try report(), by: keys[2], of: .zero)
        #expect(third == .init(equal: [keys[0]], unequal: [keys[1]]))
        // One bit of a commitment or a token is as much as that; its own earlier report is nobody else's.
        for change in [
            { $0.samples[0].commitments[0][31] ^= 1 }, { $0.samples[0].replayedTokens[6] ^= 1 },
        ] as [(inout Wire.AuditReport) -> Void] {
            let other = try readings.compare(try report(change), by: keys[3], of: .zero)
            #expect(other.equal.isEmpty && Set(other.unequal) == Set(keys[0..<3]))
        }
        readings.forget([.zero])
        #expect(try readings.compare(try report(), by: keys[3], of: .zero) == .init(equal: [keys[0]]))
    }
}
