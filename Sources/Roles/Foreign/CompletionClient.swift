import Generation
import Identity
import Proofs
import Transformer

/// Groups of a completions server: asked for, checked as an audit would check them, and proved from the rows that it returned.
struct CompletionClient: Sendable {
    let engine: ForeignEngine
    private let server: CompletionServer

    /// A client of a server, which need not be there yet.
    init(_ engine: ForeignEngine) {
        self.engine = engine
        server = CompletionServer(engine: engine)
    }

    /// Has the server load the weights in a directory, which it must see under the same path.
    ///
    /// - Throws: A `CompletionFault` where it does not, a ``RoleFailure`` where nobody answers.
    func load(_ directory: String) async throws {
        try await server.load(directory)
    }

    /// Has the server generate one group by the noise of a run's lease.
    ///
    /// - Parameters:
    ///   - run: the run, from which the noise follows together with the weights' hash and the group.
    ///   - weightsHash: the weights that the server was told to load.
    ///   - configuration: the model's sizes.
    /// - Throws: A `CompletionFault` for an answer that an audit would reject or trip over, a ``RoleFailure`` where nobody
    ///   answers.
    func samples(
        of request: GroupRequest, run: Hash256, weightsHash: Hash256, configuration: ModelConfiguration
    ) async throws -> [SampleResult] {
        let shape = CompletionShape(
            request.parameters, vocabularySize: configuration.vocabularySize, hiddenSize: configuration.hiddenSize)
        return try await samples(
            of: request, run: run, weightsHash: weightsHash, shape, maximumBytes: try shape.maximumBytes)
    }

    func samples(
        of request: GroupRequest, run: Hash256, weightsHash: Hash256, _ shape: CompletionShape, maximumBytes: Int
    ) async throws -> [SampleResult] {
        let body = try CompletionRequest(request, run: run, weightsHash: weightsHash, model: engine.model).body
        let answer = try await server.complete(body, maximumBytes: maximumBytes)
        return try CompletionAnswer.samples(answer, shape).map { sample in
            SampleResult(
                tokens: sample.tokens, logProbabilities: sample.logProbabilities,
                finishReason: sample.endsByStop ? .stop : .length, commitments: [],
                proofs: try sample.rows.withUnsafeBufferPointer {
                    try Toploc.proofs(of: $0, hidden: shape.hiddenSize)
                })
        }
    }
}
