import Foundation
import Identity
import Messages
import Orchestration
import Testing
import Verification

@testable import Roles

@Suite("Batches cut into messages")
struct BatchDeskTests {
    /// A database with so many groups of two samples each.
    private func database(_ count: Int, at path: String, engine: String = "") throws -> (RunDatabase, [Hash256]) {
        let database = try RunDatabase(path: path, run: .zero)
        var turn = RunDatabase.Turn()
        var hashes: [Hash256] = []
        for index in 0..<count {
            var payload = Wire.GroupPayload()
            payload.schemaVersion = SchemaVersion.current
            payload.runID = Data(count: 32)
            payload.groupID = Data(count: 32)
            payload.workerKey = Data(count: 32)
            payload.weightsHash = Data(count: 32)
            payload.environmentHash = Data(count: 32)
            payload.promptTokens = [UInt32(index)]
            payload.engine = engine
            payload.sampling.samples = 2
            payload.sampling.maxTokens = 8
            var report = Wire.AuditReport()
            for _ in 0..<2 {
                var sample = Wire.Sample()
                sample.tokens = [1, 2, 3]
                sample.finishReason = .length
                sample.logProbabilities = [-1, -1, -1]
                payload.samples.append(sample)
                var replayed = Wire.ReplayedSample()
                replayed.logProbabilities = [-2, -2, -2]
                report.samples.append(replayed)
            }
            let bytes = [UInt8](try payload.serializedData())
            let hash = SHA256.hash(bytes)
            hashes.append(hash)
            turn.groups.append(.init(hash: hash, payload: bytes, signature: []))
            turn.replays.append(
                .init(
                    hash: hash, report: [UInt8](try report.serializedData()), rewards: [0, Float(index)], verifier: "v")
            )
        }
        try database.commit(turn)
        return (database, hashes)
    }

    @Test("A group that nobody replayed comes with its rewards and without log-probabilities to train on")
    func unreplayed() throws {
        let path = NSTemporaryDirectory() + "apus-batch-\(UUID().uuidString).sqlite"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let (database, hashes) = try database(1, at: path)
        var turn = RunDatabase.Turn()
        let stored = try #require(try database.group(hashes[0]))
        turn.groups.append(.init(hash: .zero, payload: stored.payload, signature: []))
        turn.scores.append(.init(hash: .zero, rewards: [0.5, -0.25]))
        try database.commit(turn)
        let desk = BatchDesk(database: database)
        let outline = try desk.outline(1, hashes + [.zero], tokens: 12)
        #expect(outline.meanReward == 0.0625)
        let part = try desk.part(0, of: outline, hashes + [.zero], step: { $0 }, isPromised: { $0 == .zero })
        let group = try #require(part?.groups.last)
        #expect(group.provisional && part?.groups.first?.provisional == false)
        #expect(group.samples.map(\.reward) == [0.5, -0.25])
        #expect(group.samples.allSatisfy { $0.behaviourLogProbabilities.isEmpty })
        #expect(group.samples.allSatisfy { $0.reportedLogProbabilities == [-1, -1, -1] })
        turn = RunDatabase.Turn()
        turn.forgotten = [.zero]
        try database.commit(turn)
        #expect(try database.score(.zero) == nil)
    }

    @Test(
        "What was compared by tolerances comes without log-probabilities to train on, whatever engine was declared",
        arguments: ["", "other"])
    func tolerated(_ engine: String) throws {
        let path = NSTemporaryDirectory() + "apus-batch-\(UUID().uuidString).sqlite"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let (database, hashes) = try database(1, at: path, engine: engine)
        func samples(_ native: Verification.AuditPolicy) throws -> [Wire.TrainingSample] {
            let tolerance = Verification.AuditPolicy.toploc(ForeignEnginePolicy())
            let desk = BatchDesk(database: database, policies: AuditPolicies(native: native, foreign: tolerance))
            let outline = try desk.outline(1, hashes, tokens: 6)
            return try #require(try desk.part(0, of: outline, hashes) { $0 }?.groups.first?.samples)
        }
        let tolerated = try samples(.toploc(ForeignEnginePolicy()))
        #expect(tolerated.allSatisfy { $0.behaviourLogProbabilities.isEmpty })
        // The verifier's, for the trainer to compare with its own.
        #expect(tolerated.allSatisfy { $0.reportedLogProbabilities == [-2, -2, -2] })
        let mixed = try samples(.exact)
        #expect(mixed.allSatisfy { $0.behaviourLogProbabilities.isEmpty == !engine.isEmpty })
        #expect(mixed.allSatisfy { $0.reportedLogProbabilities == (engine.isEmpty ? [-1, -1, -1] : [-2, -2, -2]) })
    }

    @Test(
        "What two verifiers contradict each other about comes with the worker's numbers only, for the trainer to decide"
    )
    func contested() throws {
        let path = NSTemporaryDirectory() + "apus-batch-\(UUID().uuidString).sqlite"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let (database, hashes) = try database(2, at: path)
        let desk = BatchDesk(database: database)
        let outline = try desk.outline(1, hashes, tokens: 12)
        let part = try desk.part(0, of: outline, hashes, step: { $0 }, isContested: { $0 == hashes[0] })
        let samples = try #require(part?.groups.map { $0.samples })
        #expect(samples[0].allSatisfy { $0.behaviourLogProbabilities.isEmpty && $0.reportedLogProbabilities[0] == -1 })
        #expect(samples[1].allSatisfy { $0.behaviourLogProbabilities == [-2, -2, -2] })
    }

    @Test("A finding is kept until it is settled, and then the group and its evidence go together")
    func accusations() throws {
        let path = NSTemporaryDirectory() + "apus-batch-\(UUID().uuidString).sqlite"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let (database, hashes) = try database(1, at: path)
        let finding = Finding(check: "commitment", reason: "Chunk 0 differs.", severity: .slash)
        var turn = RunDatabase.Turn()
        turn.accusations.append(
            .init(hash: hashes[0], finding: finding, report: [1, 2], verifier: "v", bundle: [3]))
        try database.commit(turn)
        let kept = try #require(try database.accusation(hashes[0]))
        #expect(kept.finding == finding && kept.report == [1, 2] && kept.verifier == "v" && kept.bundle == [3])
        turn = RunDatabase.Turn()
        turn.evidence = [kept]
        turn.forgotten = hashes
        try database.commit(turn)
        #expect(try database.accusation(hashes[0]) == nil && database.group(hashes[0]) == nil)
    }

    @Test(
        "Parts hold every group once, in order, and each fits",
        arguments: [(7, 3, 1 << 20), (5, 100, 1), (4, 100, 1 << 20)])
    func parts(_ groups: Int, _ partGroups: Int, _ partBytes: Int) throws {
        let path = NSTemporaryDirectory() + "apus-batch-\(UUID().uuidString).sqlite"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let (database, hashes) = try database(groups, at: path)
        let desk = BatchDesk(database: database, partBytes: partBytes, partGroups: partGroups)
        let outline = try desk.outline(3, hashes, tokens: 42)
        #expect(outline.parts.flatMap { Array($0) } == Array(0..<groups))
        #expect(outline.parts.allSatisfy { $0.count <= partGroups && (partBytes > 1 || $0.count == 1) })
        #expect(outline.meanReward == Double((0..<groups).reduce(0, +)) / Double(2 * groups))

        var assembly = BatchAssembly()
        var whole: [Wire.TrainingGroup]?
        for index in outline.parts.indices {
            let part = try #require(try desk.part(index, of: outline, hashes) { $0 + 100 })
            #expect(part.step == 3 && part.totalCompletionTokens == 42 && Int(part.parts) == outline.parts.count)
            #expect(!assembly.holds(part))
            whole = assembly.add(part)
            #expect(whole != nil || assembly.holds(part))
        }
        #expect(whole?.map(\.promptTokens) == (0..<groups).map { [UInt32($0)] })
        #expect(whole?.first?.samples.first?.behaviourLogProbabilities == [-2, -2, -2])
        #expect(whole?.first?.samples.first?.reportedLogProbabilities == [-1, -1, -1])
        #expect(whole?.allSatisfy { $0.version.step == $0.version.number + 100 } == true)
        #expect(try desk.part(outline.parts.count, of: outline, hashes) { $0 } == nil)
        #expect(throws: (any Error).self) { try desk.outline(4, hashes + [.zero], tokens: 0) }
    }
}
