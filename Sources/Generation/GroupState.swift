import Proofs
import Sampling
import Tensors
import Transformer

/// One group while it is generated: its prompt is computed once, its samples branch off from there.
final class GroupState {
    let request: GroupRequest
    let chooser: TokenChooser
    let samples: [SampleState]
    /// Where the prompt's keys and values are, until the last sample has branched off.
    var prompt: SequenceHandle?
    /// The next sample that has not branched off yet.
    var nextSample = 0
    /// Samples that have not ended.
    var unfinished: Int

    init(_ request: GroupRequest, chooser: TokenChooser, samples: [SampleState]) {
        self.request = request
        self.chooser = chooser
        self.samples = samples
        unfinished = samples.count
    }

    /// Pages that hold the prompt.
    var promptPages: Int { KeyValuePageLayout.pages(for: request.promptTokens.count) }

    /// Pages that one sample can come to need of its own: everything from the prompt's last, partial page on.
    ///
    /// The last token is never fed, so it takes no position.
    var samplePages: Int { GroupState.samplePages(request) }

    static func samplePages(_ request: GroupRequest) -> Int {
        let positions = request.promptTokens.count + request.parameters.maximumTokens - 1
        return KeyValuePageLayout.pages(for: positions)
            - request.promptTokens.count / KeyValuePageLayout.positions
    }

    /// The finished group.
    var result: GroupResult {
        GroupResult(request: request, samples: samples.compactMap(\.result))
    }
}
