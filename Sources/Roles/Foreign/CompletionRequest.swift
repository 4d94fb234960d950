import Foundation
import Generation

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
    /// The lease's stop tokens end a sample, and nothing else.
    let ignoreEos = true
    let logprobs = 1
    let returnTokenIds = true
    let returnHiddenStates = true
    let stream = false

    init(_ request: GroupRequest, model: String) {
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
