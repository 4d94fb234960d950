import Foundation
import Identity
import Logging
import Messages
import Queues
import RunConfiguration
import Tensors
import Testing

@testable import Roles

@Suite("Doubts of a trainer that nobody heard", .timeLimit(.minutes(1)))
struct UnheardDoubtsTests {
    /// What a trainer said, by an orchestrator that does nothing but listen.
    private struct Orchestrator {
        let router: RouterSocket
        private let welcome: Wire.Welcome
        private(set) var resumeSteps: [UInt64] = []
        private(set) var doubted: [UInt64: [Data]] = [:]
        private(set) var checkpoints: [UInt64] = []
        private var sent: UInt64 = 0

        init(_ plan: SwarmPlan) throws {
            let lab = try NodeKeys.load(path: plan.directory.key("lab"))
            var welcome = Wire.Welcome()
            welcome.runID = Data(plan.runID.bytes)
            welcome.manifestKey = Data(lab.signing.publicKey.rawBytes)
            welcome.receiptKey = welcome.manifestKey
            welcome.relays = ["http://127.0.0.1:\(plan.file.network.relayPort)"]
            self.welcome = welcome
            router = try RouterSocket(
                bind: "tcp://127.0.0.1:\(plan.file.network.orchestratorPort)", serverKey: lab.curve
            ) { _, _ in true }
        }

        /// Listens until it has heard enough; what a step left out is acknowledged or not.
        mutating func listen(acknowledging: Bool, until isEnough: (Orchestrator) -> Bool) async throws {
            while !isEnough(self) {
                let incoming = try #require(await router.incoming.next())
                let header = try ClientEnvelope(frames: incoming.frames).header
                var answer: Wire.ServerBody? = .acknowledgement(Wire.Acknowledgement())
                switch header.body {
                case .hello(let hello):
                    resumeSteps.append(hello.resumeStep)
                    answer = .welcome(welcome)
                case .batchRequest(let request):
                    answer = request.step == 1 ? .batch(Self.batch) : nil
                case .batchDone(let done):
                    doubted[done.step] = done.doubtedGroups
                    if !acknowledging { answer = nil }
                case .checkpointStable(let stable): checkpoints.append(stable.step)
                default: break
                }
                guard let answer else { continue }
                sent += 1
                try router.send(
                    ServerEnvelope(id: sent, answers: header.messageID, answer).frames, to: incoming.peer)
            }
        }

        /// A group whose numbers are not the worker's, and one without a key, which nobody can replay.
        static var batch: Wire.Batch {
            var (batch, group, sample) = (Wire.Batch(), Wire.TrainingGroup(), Wire.TrainingSample())
            sample.tokens = [1, 2]
            sample.behaviourLogProbabilities = [-1, -1]
            sample.reportedLogProbabilities = [-1, -2]
            group.groupID = Data(repeating: 8, count: 32)
            group.groupHash = Data(repeating: 9, count: 32)
            group.workerKey = Data(TestKeys.worker.rawBytes)
            group.version.weightsHash = Data(count: 32)
            group.promptTokens = [1]
            group.samples = [sample, sample]
            batch.step = 1
            batch.parts = 1
            var odd = group
            odd.groupHash = Data(repeating: 7, count: 32)
            odd.workerKey = Data()
            sample.behaviourLogProbabilities = []
            odd.samples = [sample]
            batch.groups = [group, odd]
            return batch
        }
    }

    @Test("A checkpoint does not bury what its steps left out: after both died, it is told again, and first")
    func bothDie() async throws {
        let root = NSTemporaryDirectory() + "apus-unheard-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        var file = try RunFile.load(
            layers: [BuiltInRunFiles.demo(steps: 4, directory: root)],
            environmentDefaults: EnvironmentRegistry.runFileDefaults)
        file.warmUp.steps = 0
        file.training.checkpointInterval = 1
        let plan = try SwarmPlan(file, existing: .refuse)
        let log = Logger(label: "trainer") { _ in SwiftLogNoOpLogHandler() }
        let kernels = try Kernels.preferred()
        func trainer() -> Task<Void, any Error> {
            Task { try await TrainerRole(plan.file, kernels: kernels, log: log).run() }
        }
        let record = DoubtRecord(folder: plan.directory.behaviours, log: log)

        var first = try Orchestrator(plan)
        var life = trainer()
        try await first.listen(acknowledging: false) { $0.doubted[1] != nil }
        // It stops with a checkpoint of the step, and without an answer.
        life.cancel()
        try await life.value
        await first.router.closeAndWait()
        #expect(!first.checkpoints.contains(1))
        #expect(record.unacknowledged(through: 1).map(\.completed.doubted) == [[Data(repeating: 9, count: 32)]])

        var second = try Orchestrator(plan)
        life = trainer()
        try await second.listen(acknowledging: false) { $0.doubted[1] != nil }
        #expect(second.resumeSteps.allSatisfy { $0 == 1 } && second.checkpoints.isEmpty)
        #expect(second.doubted[1] == [Data(repeating: 9, count: 32)])
        try await second.listen(acknowledging: true) { !$0.checkpoints.isEmpty }
        #expect(second.checkpoints == [1] && record.unacknowledged(through: 1).isEmpty)
        life.cancel()
        try await life.value
        await second.router.closeAndWait()
    }
}
