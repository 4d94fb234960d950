import Foundation
import Generation
import Identity
import Logging
import Orchestration
import Transformer

/// Has a completions server generate, and proves what it says that it computed.
///
/// A group is sent as one request. What comes back is checked as an audit would check it, so that a server that does not
/// understand the request costs a lease and no strike.
actor ForeignDesk: GroupEngine {
    private let run: Hash256
    private let client: CompletionClient
    private let log: Logger
    private let clock = ContinuousClock()

    private var turns: ServerTurns
    private var files: [UInt64: PolicyFiles] = [:]
    private var waiters: [Hash256: CheckedContinuation<Void, any Error>] = [:]
    private var requests: [Hash256: Task<GenerationDesk.Finished, any Error>] = [:]
    private var finished: [GenerationDesk.Finished] = []
    private(set) var tokensGenerated: UInt64 = 0
    /// A server reads files.
    let newest: PolicyVersion? = nil

    init(run: Hash256, engine: ForeignEngine, log: Logger) {
        self.run = run
        self.log = log
        client = CompletionClient(engine)
        turns = ServerTurns(capacity: engine.requests)
    }

    /// Generates a group; returns when it is finished.
    ///
    /// - Throws: ``CompletionFault``, ``RoleFailure``, or `CancellationError` where the group was cancelled meanwhile.
    func add(_ request: GroupRequest, version: PolicyVersion, _ source: PolicySource) async throws {
        let files = try await source.files()
        guard requests[request.groupID] == nil, waiters[request.groupID] == nil else {
            throw GenerationError.duplicateGroup(request.groupID)
        }
        guard files.adapter == nil else {
            throw RoleFailure(
                .badInput, "Version \(version.number) is an adapter, and foreign engines load whole versions.",
                advice: "Join without --engine, or ask the lab to publish full versions.")
        }
        let configuration = try ModelDirectory.configuration(at: files.model)
        let shape = CompletionShape(
            request.parameters, vocabularySize: configuration.vocabularySize, hiddenSize: configuration.hiddenSize)
        let bytes = try shape.maximumBytes
        self.files[version.number] = files
        try await withCheckedThrowingContinuation { continuation in
            waiters[request.groupID] = continuation
            turns.wait(request.groupID, version: version.number)
            proceed()
        }
        let task = Task { try await generate(request, version, shape, maximumBytes: bytes) }
        requests[request.groupID] = task
        defer {
            requests[request.groupID] = nil
            turns.finish()
            proceed()
        }
        let group = try await task.value
        tokensGenerated += group.group.samples.reduce(0) { $0 + UInt64($1.tokens.count) }
        finished.append(group)
    }

    func cancel(_ group: Hash256) {
        if turns.leave(group) { waiters.removeValue(forKey: group)?.resume(throwing: CancellationError()) }
        requests[group]?.cancel()
        finished.removeAll { $0.group.groupID == group }
        proceed()
    }

    /// A server has room for one version, so nothing is loaded ahead.
    func announce(_ version: PolicyVersion, _ source: PolicySource) {}

    /// What is finished; computing goes on elsewhere.
    func step() -> (finished: [GenerationDesk.Finished], isIdle: Bool) {
        defer { finished = [] }
        return (finished, true)
    }

    /// What a server needs for a new version is its own affair.
    func takeAdoptions() -> [Adoption] { [] }

    private func proceed() {
        while let move = turns.nextMove() {
            switch move {
            case .start(let group): waiters.removeValue(forKey: group)?.resume()
            case .load(let version): Task { await load(version) }
            }
        }
    }

    private func load(_ version: UInt64) async {
        var failure: (any Error)?
        do {
            guard let files = files[version] else {
                throw RoleFailure(.fault, "Nobody knows where version \(version) lies.")
            }
            try await client.load(files.model)
            log.debug("version \(version) is at the completions server")
        } catch {
            failure = error
        }
        let lost = turns.finishLoading(version, succeeded: failure == nil)
        for group in lost { waiters.removeValue(forKey: group)?.resume(throwing: failure ?? CancellationError()) }
        let needed = turns.awaited
        files = files.filter { $0.key >= version || needed.contains($0.key) }
        proceed()
    }

    private func generate(
        _ request: GroupRequest, _ version: PolicyVersion, _ shape: CompletionShape, maximumBytes: Int
    ) async throws -> GenerationDesk.Finished {
        let began = clock.now
        let samples = try await client.samples(
            of: request, run: run, weightsHash: version.weightsHash, shape, maximumBytes: maximumBytes)
        return GenerationDesk.Finished(
            group: GroupResult(request: request, samples: samples, version: version.number),
            seconds: began.duration(to: clock.now) / .seconds(1))
    }
}
