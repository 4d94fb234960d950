import Foundation
import Generation
import Identity
import Sampling

/// One group as a completions request.
struct CompletionRequest: Encodable {
    let model: String
    let prompt: [Int32]
    let n: Int
    let maxTokens: Int
    let temperature: Float
    let topP: Float?
    let topK: Int?
    let minP: Float?
    /// From the group_id, so that a group that is leased again comes out alike where the server can do that.
    let seed: Int
    let stopTokenIds: [Int32]
    /// For each sample the two words of the Philox key and counter words 2 and 3 (docs/foreign-engines.md).
    let noise: [[UInt32]]
    /// The lease's stop tokens end a sample, and nothing else.
    let ignoreEos = true
    let logprobs = 1
    let returnTokenIds = true
    let returnHiddenStates = true
    let stream = false

    init(_ request: GroupRequest, run: Hash256, weightsHash: Hash256, model: String) {
        let parameters = request.parameters
        self.model = model
        prompt = request.promptTokens
        n = parameters.samples
        maxTokens = parameters.maximumTokens
        temperature = parameters.temperature
        topP = parameters.topP > 0 && parameters.topP < 1 ? parameters.topP : nil
        topK = parameters.topK > 0 ? parameters.topK : nil
        minP = parameters.minP > 0 ? parameters.minP : nil
        // What every JSON reader takes as an exact integer.
        seed = request.groupID.withUnsafeBytes { Int($0.loadUnaligned(as: UInt32.self).littleEndian) }
        stopTokenIds = parameters.stopTokens
        noise = (0..<parameters.samples).map { sample in
            let words = NoiseKey(
                runID: run, weightsHash: weightsHash, groupID: request.groupID, sample: UInt32(sample)
            ).words
            return [words.key.0, words.key.1, words.counter.0, words.counter.1]
        }
    }

    var body: Data {
        get throws {
            let encoder = JSONEncoder()
            encoder.keyEncodingStrategy = .convertToSnakeCase
            encoder.outputFormatting = [.sortedKeys]
            return try encoder.encode(self)
        }
    }
}
