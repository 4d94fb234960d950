import Foundation
import Identity
import Logging
import Messages
import Orchestration
import Sampling
import Testing
import Training
import Verification

@testable import Roles

@Suite("Groups of a batch that nobody replayed")
struct UnreplayedGroupsTests {
    /// Computes −1 for every token of every group, but for versions and groups that it is told to fail on.
    private struct Source: BehaviourSource {
        var missing: Set<UInt64> = []
        var faulty: Set<Int32> = []
        /// Groups whose last token is not the one that their noise dictates.
        var chosen: Set<Int32> = []
        var isCancelled = false

        func replay(
            _ requests: [ReplayRequest], under version: PolicyVersion
        ) async throws -> [Result<ReplayResult, ReplayDesk.Fault>] {
            if isCancelled { throw CancellationError() }
            guard !missing.contains(version.number) else { throw RoleFailure(.unreachable, "no relay has it\u{7}") }
            return requests.map { request in
                if faulty.contains(request.promptTokens[0]) { return .failure(.init(sentence: "it has no memory")) }
                return .success(
                    ReplayResult(
                        samples: request.completions.map { tokens in
                            var dictated = tokens
                            if chosen.contains(request.promptTokens[0]) { dictated[tokens.count - 1] += 1 }
                            return ReplayedSample(
                                commitments: [], logProbabilities: tokens.map { _ in -1 }, replayedTokens: dictated,
                                margins: [], topRows: [])
                        }))
            }
        }
    }

    private let folder = NSTemporaryDirectory() + "apus-unreplayed-\(UUID().uuidString)"
    private let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func groups(_ source: Source, _ policies: AuditPolicies = AuditPolicies()) -> UnreplayedGroups {
        UnreplayedGroups(
            run: .zero,
            sampling: SamplingParameters(
                samples: 2, maximumTokens: 4, temperature: 1, topK: 0, topP: 0, minP: 0, stopTokens: []),
            policies: policies, source: source, record: BehaviourRecord(folder: folder, log: log), log: log)
    }

    private func group(_ number: UInt8, version: UInt64 = 1, reported: Float = -1, isReplayed: Bool = false)
        -> Wire.TrainingGroup
    {
        var group = Wire.TrainingGroup()
        group.groupID = Data(repeating: number, count: 32)
        group.groupHash = Data(repeating: number, count: 32)
        group.workerKey = Data(TestKeys.worker.rawBytes)
        group.version.number = version
        group.version.weightsHash = Data(count: 32)
        group.promptTokens = [UInt32(number)]
        for _ in 0..<2 {
            var sample = Wire.TrainingSample()
            sample.tokens = [1, 2]
            sample.reportedLogProbabilities = [reported, reported]
            sample.behaviourLogProbabilities = isReplayed ? [reported, reported] : []
            group.samples.append(sample)
        }
        return group
    }

    @Test("A version that is gone, a replay that fails and a false report cost their groups, nothing else")
    func faults() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let unreplayed = groups(Source(missing: [7], faulty: [3]))
        let batch = [
            group(1), group(2, version: 7), group(3), group(4, reported: -2), group(5, reported: -3, isReplayed: true),
        ]
        let completed = try await unreplayed.complete(batch, step: 1)
        #expect(completed.groups.map(\.promptTokens) == [[1], [5]])
        #expect(completed.groups[0].samples[0].behaviourLogProbabilities == [-1, -1])
        #expect(completed.groups[1].samples[0].behaviourLogProbabilities == [-3, -3])
        #expect(completed.doubted == [batch[3].groupHash])
        #expect(completed.unavailable.map(\.groupHash) == [batch[1].groupHash, batch[2].groupHash])
        #expect(
            completed.unavailable[0].reason.contains("version 7") && completed.unavailable[1].reason.contains("memory"))
        // What is said crosses the wire, where no control character may stand.
        #expect(!completed.unavailable[0].reason.contains("\u{7}"))
    }

    @Test(
        "Tokens that were chosen are doubted although their log-probabilities are true, when the step is made again too"
    )
    func chosenTokens() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let batch = [group(1), group(2)]
        for source in [Source(chosen: [2]), Source()] {
            let completed = try await groups(source).complete(batch, step: 1)
            #expect(completed.groups.map(\.promptTokens) == [[1]])
            #expect(completed.doubted == [batch[1].groupHash] && completed.unavailable.isEmpty)
        }
    }

    @Test("What was left out stays out when the step is made again, though a verifier's numbers come with it then")
    func decidedMeanwhile() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let first = [group(1), group(2, reported: -2), group(3)]
        _ = try await groups(Source(faulty: [3])).complete(first, step: 1)
        let again = [group(1), group(2, reported: -2, isReplayed: true), group(3, reported: -3, isReplayed: true)]
        let completed = try await groups(Source()).complete(again, step: 1)
        #expect(completed.groups.map(\.promptTokens) == [[1]])
        #expect(completed.doubted == [first[1].groupHash])
        #expect(completed.unavailable.map(\.groupHash) == [first[2].groupHash])
    }

    @Test("Of a group under tolerances the tokens may differ, a verifier's log-probabilities may not")
    func tolerated() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var batch = [group(1), group(2), group(3, reported: -1e30)]
        batch[0].engine = "other"
        batch[2].engine = "other"
        let tolerance = AuditPolicy.toploc(ForeignEnginePolicy())
        let completed = try await groups(Source(chosen: [1, 2]), AuditPolicies(foreign: tolerance))
            .complete(batch, step: 1)
        #expect(completed.groups.map(\.promptTokens) == [[1]])
        #expect(completed.groups.first?.samples[0].behaviourLogProbabilities == [-1, -1])
        #expect(completed.doubted == [batch[1].groupHash, batch[2].groupHash])
        let native = try await groups(Source(chosen: [2]), AuditPolicies(native: tolerance, foreign: tolerance))
            .complete([batch[1]], step: 2)
        #expect(native.groups.count == 1 && native.doubted.isEmpty)
    }

    @Test("A group with a malformed key is left out and named")
    func malformed() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var odd = group(2)
        odd.workerKey = Data([1])
        let completed = try await groups(Source()).complete([group(1), odd], step: 1)
        #expect(completed.groups.count == 1 && completed.unavailable.map(\.groupHash) == [odd.groupHash])
    }

    @Test("A group that does not fit the model is left out and named, and the others make the step")
    func misfits() {
        var odd = group(2, isReplayed: true)
        odd.samples[1].tokens = [1, 99]
        var completed = UnreplayedGroups.Completed(
            groups: [group(1, isReplayed: true), odd, group(3, isReplayed: true)], doubted: [Data([9])])
        for index in completed.groups.indices { completed.groups[index].version.step = 1 }
        completed.leaveOut(completed.batch(step: 2).faults(vocabularySize: 50, maximumLength: 8))
        #expect(completed.groups.map(\.promptTokens) == [[1], [3]] && completed.doubted == [Data([9])])
        #expect(completed.unavailable.map(\.groupHash) == [odd.groupHash])
        #expect(completed.unavailable[0].reason.contains("token 99"))
        #expect(throws: Never.self) { try completed.batch(step: 2).validate(vocabularySize: 50, maximumLength: 8) }
    }

    @Test("Of a batch that is all doubt nothing is trained on")
    func allDoubted() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let completed = try await groups(Source()).complete([group(1, reported: -2), group(2, reported: -3)], step: 1)
        #expect(completed.groups.isEmpty && completed.doubted.count == 2)
    }

    @Test("A step that is made again has the groups that it had, although the version is back")
    func again() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let batch = [group(1), group(2, version: 7)]
        let first = try await groups(Source(missing: [7])).complete(batch, step: 4)
        let second = try await groups(Source()).complete(batch, step: 4)
        #expect(first.groups == second.groups && second.unavailable.map(\.groupHash) == [batch[1].groupHash])
    }

    @Test("A trainer that is stopped meanwhile stops")
    func cancelled() async {
        await #expect(throws: CancellationError.self) {
            _ = try await groups(Source(isCancelled: true)).complete([group(1)], step: 1)
        }
    }
}
