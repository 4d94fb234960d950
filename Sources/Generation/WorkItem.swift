import Sampling
import Tensors
import Transformer

/// What takes part in a forward pass: a prompt with all samples of its group behind it, or one sample.
///
/// Plain numbers, so that planning a step of hundreds of items touches nothing but one array.
struct WorkItem {
    let group: GroupState
    /// nil: the group's prompt.
    let sample: SampleState?
    /// Where its keys and values are while it is active; a sample that has not branched off from its prompt has none.
    var sequence: SequenceHandle?
    /// Positions whose keys and values are there.
    var computed = 0
    /// Tokens that are known: the prompt and what was sampled.
    private var known: Int
    /// Positions that this step computes.
    private(set) var rows = 0

    init(_ group: GroupState, _ sample: SampleState? = nil, computed: Int = 0) {
        self.group = group
        self.sample = sample
        self.computed = computed
        known = group.promptCount + (sample?.tokens.count ?? 0)
    }

    /// Positions to compute before the next token: 1 where a sample decodes, more for a prompt or after a preemption.
    var missing: Int { known - computed }

    /// Whether this step computes all that is missing, so that a row predicts the next token.
    var isComplete: Bool { rows == missing }

    /// Pages that this step's rows take beyond those that are held.
    var newPages: Int { KeyValuePageLayout.pages(for: computed + rows) - KeyValuePageLayout.pages(for: computed) }

    /// Sequences that decode when the item has its tokens.
    var sequences: Int { sample == nil ? group.samples.count : 1 }

    /// Takes this step's rows: all that is missing where a sample decodes, else at most `promptRows`, which it lowers.
    mutating func plan(_ promptRows: inout Int) {
        rows = missing
        if rows > 1 {
            rows = min(rows, promptRows)
            promptRows -= rows
        }
    }

    /// The tokens of this step's rows.
    var segment: Segment? {
        guard rows > 0, let sequence else { return nil }
        let outputs = isComplete ? 1 : 0
        let range = computed..<computed + rows
        guard let sample else {
            return Segment(sequence, tokens: group.request.promptTokens[range], outputs: outputs)
        }
        if rows == 1, outputs == 1 { return Segment(sequence, tokens: sample.tokens.suffix(1), outputs: 1) }
        return Segment(sequence, tokens: (group.request.promptTokens + sample.tokens)[range], outputs: outputs)
    }

    /// Notes that the rows are computed, and the sample's next token where they were all that was missing.
    mutating func advance() {
        if sample != nil, isComplete { known += 1 }
        computed += rows
        rows = 0
    }
}
