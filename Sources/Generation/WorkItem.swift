import Sampling
import Tensors
import Transformer

/// What takes part in a forward pass: a prompt with all samples of its group behind it, or one sample.
struct WorkItem {
    let group: GroupState
    /// nil: the group's prompt.
    let sample: SampleState?
    /// Positions that this step computes.
    var rows = 0

    init(_ group: GroupState, _ sample: SampleState? = nil) {
        self.group = group
        self.sample = sample
    }

    /// Tokens that are known: the prompt and what was sampled.
    var known: Int { group.request.promptTokens.count + (sample?.tokens.count ?? 0) }

    /// Positions whose keys and values are in the cache.
    var computed: Int { sample?.computed ?? group.computedPrompt }

    /// Positions to compute before the next token: 1 where a sample decodes, more for a prompt or after a preemption.
    var missing: Int { known - computed }

    /// Whether this step computes all that is missing, so that a row predicts the next token.
    var isComplete: Bool { rows == missing }

    /// Pages that this step's rows take beyond those that are held.
    var newPages: Int {
        let computed = computed
        return KeyValuePageLayout.pages(for: computed + rows) - KeyValuePageLayout.pages(for: computed)
    }

    /// Sequences that decode when the item has its tokens.
    var sequences: Int { sample == nil ? group.samples.count : 1 }

    /// The tokens of this step's rows.
    var segment: Segment? {
        let outputs = isComplete ? 1 : 0
        let range = computed..<computed + rows
        guard let sample else {
            return group.prompt.map { Segment($0, tokens: group.request.promptTokens[range], outputs: outputs) }
        }
        guard let sequence = sample.sequence else { return nil }
        if rows == 1, range.upperBound == known {
            return Segment(sequence, tokens: sample.tokens.suffix(1), outputs: 1)
        }
        return Segment(sequence, tokens: (group.request.promptTokens + sample.tokens)[range], outputs: outputs)
    }

    /// Notes that the rows are computed.
    func advance() {
        if let sample { sample.computed += rows } else { group.computedPrompt += rows }
    }
}
