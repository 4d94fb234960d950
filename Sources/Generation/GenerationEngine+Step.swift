import Sampling
import Synchronization
import Tensors
import Transformer

extension GenerationEngine {
    /// Makes one token for every sample of the oldest version with work that decodes, computes prompts as far as the
    /// limits allow, and makes the first token of every sample of the groups whose prompts are complete.
    ///
    /// - Returns: the groups that this step finished, oldest first.
    /// - Throws: `GenerationError` when the model overflows; every group is dropped then, since the weights are bad.
    public func step() throws(GenerationError) -> [GroupResult] {
        guard let lane = lanes.first(where: { !$0.isIdle }) else { return [] }
        admit(to: lane)
        planRows(lane)
        do {
            try advance(lane)
        } catch {
            cancelAll()
            throw GenerationEngine.failure(error)
        }
        return takeFinished(lane)
    }

    /// One forward pass, one choice for each row, and the proofs of the chunks that became full.
    private func advance(_ lane: Lane) throws {
        let rows = try forward(lane)
        let answered = lane.active.allSatisfy(\.isComplete) ? lane.active : lane.active.filter(\.isComplete)
        try choose(rows, answered, lane)
        try prove(answered)
        lane.active.withUnsafeMutableBufferPointer { items in
            for index in items.indices { items[index].advance() }
        }
        try settle(lane, answered)
    }

    private func forward(_ lane: Lane) throws(ModelError) -> HiddenRows {
        // The segments borrow the token arrays; they are gone before a token is appended, or arrays would be copied.
        var segments: [Segment] = []
        segments.reserveCapacity(lane.active.count)
        for item in lane.active {
            if let segment = item.segment { segments.append(segment) }
        }
        return try lane.decoder.forward(segments, cache: cache)
    }

    /// The row of a prompt gives every sample of its group the first token; the others give one token each.
    private func choose(_ rows: HiddenRows, _ answered: [WorkItem], _ lane: Lane) throws {
        var drawing: [(group: GroupState, sample: SampleState)] = []
        var draws: [TokenDraw] = []
        var choosers: [TokenChooser] = []
        func append(_ sample: SampleState, of group: GroupState, row: Int) {
            let position = UInt32(group.promptCount + sample.tokens.count)
            draws.append(TokenDraw(row: row, chooser: choosers.count - 1, noise: sample.noise, position: position))
            drawing.append((group, sample))
        }
        drawing.reserveCapacity(rows.count)
        draws.reserveCapacity(rows.count)
        for (row, item) in answered.enumerated() {
            let group = item.group
            if row == 0 || answered[row - 1].group !== group { choosers.append(group.chooser) }
            if let sample = item.sample {
                append(sample, of: group, row: row)
            } else {
                for sample in group.samples { append(sample, of: group, row: row) }
            }
        }
        let chosen = try lane.logits.draw(draws, choosers, from: rows.pointer)
        for (place, item) in drawing.enumerated() {
            item.sample.accept(chosen[place], row: rows.pointer + draws[place].row * rows.width, item.group)
        }
    }

    /// Proves every chunk that is full or ends its sample, spread over the pool.
    private func prove(_ answered: [WorkItem]) throws {
        guard let workerKey = context.workerKey else { return }
        var work: [(group: GroupState, sample: SampleState)] = []
        for item in answered {
            if let sample = item.sample {
                if sample.hasProofWork { work.append((item.group, sample)) }
            } else {
                for sample in item.group.samples where sample.hasProofWork { work.append((item.group, sample)) }
            }
        }
        guard !work.isEmpty else { return }
        let failure = Mutex<(any Error)?>(nil)
        pool.run(work.count) { task, _ in
            let (group, sample) = work[task]
            do {
                try sample.prove(workerKey: workerKey, groupID: group.request.groupID, chunking: context.chunking)
            } catch {
                failure.withLock { $0 = error }
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
    }

    /// Lets finished samples leave, and the samples of complete prompts take their places.
    private func settle(_ lane: Lane, _ answered: [WorkItem]) throws(ModelError) {
        var completesPrompts = false
        var finishesSamples = false
        for item in answered {
            if let sample = item.sample {
                tokensGenerated += 1
                finishesSamples = finishesSamples || sample.finishReason != nil
            } else {
                tokensGenerated += UInt64(item.group.samples.count)
                promptTokensComputed += UInt64(item.group.request.promptTokens.count)
                completesPrompts = true
            }
        }
        guard completesPrompts || finishesSamples else { return }
        let before = lane.active
        lane.active.removeAll(keepingCapacity: true)
        for item in before { settle(item, in: lane) }
        guard completesPrompts else { return }
        var index = 0
        while index < lane.active.count {
            let item = lane.active[index]
            if item.sample != nil, item.group.prompt != nil { try branch(lane, from: index) }
            index += 1
        }
    }

    private func settle(_ item: WorkItem, in lane: Lane) {
        let group = item.group
        if let sample = item.sample {
            if sample.finishReason == nil { return lane.active.append(item) }
            lengths.note(sample.tokens.count)
            group.unfinished -= 1
            if let sequence = item.sequence { cache.release(sequence) }
        } else if item.missing > 0 {
            lane.active.append(item)
        } else {
            group.prompt = item.sequence
            for sample in group.samples {
                settle(WorkItem(group, sample, computed: group.promptCount), in: lane)
            }
            if group.unfinished == 0 { releasePrompt(of: group) }
        }
    }

    private static func failure(_ error: any Error) -> GenerationError {
        switch error {
        case let error as SamplingError: .sampling(error)
        case let error as ModelError: .model(error)
        default: .notFinite("\(error)")
        }
    }
}
