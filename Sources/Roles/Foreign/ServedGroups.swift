import Adversaries
import Foundation
import Generation
public import Identity
public import Transformer
public import Verification

/// What a completions server generates for the leases of an audit report, as a worker would submit it.
public struct ServedGroups: Sendable {
    private let client: CompletionClient
    private let model: String
    private let configuration: ModelConfiguration
    private let weightsHash: Hash256

    /// Groups of a server that is to compute with a model directory.
    ///
    /// - Parameters:
    ///   - model: the directory that the server is told to load.
    ///   - weightsHash: its weights' hash, from which the noise follows.
    public init(_ engine: ForeignEngine, model: String, configuration: ModelConfiguration, weightsHash: Hash256) {
        client = CompletionClient(engine)
        self.model = URL(filePath: model).path
        (self.configuration, self.weightsHash) = (configuration, weightsHash)
    }

    /// The groups in the order of their leases, as many at the server at once as it takes requests.
    ///
    /// - Parameter progress: hears how many are there.
    /// - Throws: What the server did wrong, or that nobody answers.
    public func generate(_ terms: [LeaseTerms], _ progress: (Int) -> Void) async throws -> [GroupEvidence] {
        try await client.load(model)
        return try await withThrowingTaskGroup(of: (Int, GroupEvidence).self) { tasks in
            var groups = [GroupEvidence?](repeating: nil, count: terms.count)
            var (asked, answered) = (0, 0)
            while answered < terms.count {
                while asked < terms.count, asked - answered < client.engine.requests {
                    let (index, item) = (asked, terms[asked])
                    tasks.addTask { (index, try await group(item)) }
                    asked += 1
                }
                guard let (index, evidence) = try await tasks.next() else { break }
                groups[index] = evidence
                answered += 1
                progress(answered)
            }
            return groups.compactMap(\.self)
        }
    }

    private func group(_ terms: LeaseTerms) async throws -> GroupEvidence {
        let request = GroupRequest(
            groupID: terms.groupID, promptTokens: terms.promptTokens, parameters: terms.parameters)
        let samples = try await client.samples(
            of: request, run: terms.runID, weightsHash: weightsHash, configuration: configuration)
        return AttackLab.evidence(samples, terms)
    }
}
