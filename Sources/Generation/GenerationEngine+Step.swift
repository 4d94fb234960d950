import Sampling
import Synchronization
import Tensors
import Transformer

extension GenerationEngine {
    /// Makes one token for every sample that decodes, and the first token of every sample of the groups that begin.
    ///
    /// - Returns: the groups that this step finished, oldest first.
    /// - Throws: `GenerationError` when the model overflows; every group is dropped then, since the weights are bad.
    public func step() throws(GenerationError) -> [GroupResult] {
        do {
            try startWaitingSamples()
            let begun = beginWaitingGroups()
            guard !begun.isEmpty || !decoding.isEmpty else { return takeFinished() }
            try advance(begun)
            try startWaitingSamples()
        } catch {
            cancelAll()
            throw GenerationEngine.failure(error)
        }
        return takeFinished()
    }

    /// One forward pass, one choice for each row, and the proofs of the chunks that became full.
    private func advance(_ begun: [GroupState]) throws {
        let rows: HiddenRows
        do {
            // The segments borrow the token arrays; they are gone before a token is appended, or arrays would be copied.
            var segments: [Segment] = []
            segments.reserveCapacity(begun.count + decoding.count)
            for group in begun {
                guard let prompt = group.prompt else { continue }
                segments.append(Segment(prompt, tokens: group.request.promptTokens))
                promptTokensComputed += UInt64(group.request.promptTokens.count)
            }
            for item in decoding {
                guard let sequence = item.sample.sequence else { continue }
                segments.append(Segment(sequence, tokens: item.sample.tokens.suffix(1)))
            }
            rows = try decoder.forward(segments, cache: cache)
        }
        try choose(rows, begun)
        try prove(begun)
        for group in begun {
            tokensGenerated += UInt64(group.samples.count)
            group.unfinished -= group.samples.count { $0.finishReason != nil }
        }
        tokensGenerated += UInt64(decoding.count)
        decoding.removeAll { item in
            guard item.sample.finishReason != nil else { return false }
            item.group.unfinished -= 1
            releaseSequence(of: item)
            return true
        }
    }

    /// Rows of begun groups come first and give every sample its first token; the others give one token each.
    private func choose(_ rows: HiddenRows, _ begun: [GroupState]) throws {
        var drawing: [Decoding] = []
        var draws: [TokenDraw] = []
        var choosers: [TokenChooser] = []
        func append(_ sample: SampleState, of group: GroupState, row: Int) {
            let position = UInt32(group.request.promptTokens.count + sample.tokens.count)
            draws.append(TokenDraw(row: row, chooser: choosers.count - 1, noise: sample.noise, position: position))
            drawing.append(Decoding(group: group, sample: sample))
        }
        drawing.reserveCapacity(rows.count)
        draws.reserveCapacity(rows.count)
        for (row, group) in begun.enumerated() {
            choosers.append(group.chooser)
            for sample in group.samples { append(sample, of: group, row: row) }
        }
        for (place, item) in decoding.enumerated() {
            if place == 0 || decoding[place - 1].group !== item.group { choosers.append(item.group.chooser) }
            append(item.sample, of: item.group, row: begun.count + place)
        }
        let chosen = try logits.draw(draws, choosers, from: rows.pointer)
        for (place, item) in drawing.enumerated() {
            item.sample.accept(
                chosen[place], row: rows.pointer + draws[place].row * rows.width,
                parameters: item.group.request.parameters)
        }
    }

    /// Proves every chunk that is full or ends its sample, spread over the pool.
    private func prove(_ begun: [GroupState]) throws {
        guard let workerKey = context.workerKey else { return }
        var work = decoding.filter { $0.sample.hasProofWork }
        for group in begun {
            for sample in group.samples where sample.hasProofWork {
                work.append(Decoding(group: group, sample: sample))
            }
        }
        guard !work.isEmpty else { return }
        let failure = Mutex<(any Error)?>(nil)
        pool.run(work.count) { task, _ in
            let item = work[task]
            do {
                try item.sample.prove(
                    workerKey: workerKey, groupID: item.group.request.groupID, chunking: context.chunking)
            } catch {
                failure.withLock { $0 = error }
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
    }

    private static func failure(_ error: any Error) -> GenerationError {
        switch error {
        case let error as SamplingError: .sampling(error)
        case let error as ModelError: .model(error)
        default: .notFinite("\(error)")
        }
    }
}
