import Identity
import Proofs
import Sampling
import Tensors
import Transformer

/// One group while it is generated: its prompt is computed once, its samples branch off from there.
final class GroupState {
    let request: GroupRequest
    let chooser: TokenChooser
    let samples: [SampleState]
    let promptCount: Int
    let maximumTokens: Int
    let stopTokens: [Int32]
    /// Where the prompt's keys and values are, until the samples have branched off.
    var prompt: SequenceHandle?
    /// Samples that have not ended.
    var unfinished: Int

    init(_ request: GroupRequest, chooser: TokenChooser, samples: [SampleState]) {
        self.request = request
        self.chooser = chooser
        self.samples = samples
        promptCount = request.promptTokens.count
        maximumTokens = request.parameters.maximumTokens
        stopTokens = request.parameters.stopTokens
        unfinished = samples.count
    }

    /// Pages that all samples share: those that the prompt fills.
    var sharedPages: Int { GroupState.sharedPages(request) }

    static func sharedPages(_ request: GroupRequest) -> Int {
        request.promptTokens.count / KeyValuePageLayout.positions
    }

    /// Pages of its own that a sample holds when it has so many tokens.
    ///
    /// The last token is not fed before the next one is wanted, so it takes no position.
    static func ownPages(_ request: GroupRequest, _ tokens: Int) -> Int {
        KeyValuePageLayout.pages(for: request.promptTokens.count + tokens - 1) - sharedPages(request)
    }

    /// The finished group.
    func result(version: UInt64) -> GroupResult {
        GroupResult(request: request, samples: samples.compactMap(\.result), version: version)
    }
}
