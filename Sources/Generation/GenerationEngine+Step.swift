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
        let failure = Mutex<SamplingError?>(nil)
        logits.run(rows.pointer, count: rows.count) { row, logits in
            let hidden = rows.pointer + row * rows.width
            do throws(SamplingError) {
                if row < begun.count {
                    let group = begun[row]
                    for sample in group.samples { try group.extend(sample, logits, hidden) }
                } else {
                    let item = decoding[row - begun.count]
                    try item.group.extend(item.sample, logits, hidden)
                }
            } catch {
                failure.withLock { $0 = error }
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
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

extension GroupState {
    /// Chooses a sample's next token from its row and appends it.
    fileprivate func extend(
        _ sample: SampleState, _ logits: UnsafePointer<Float>, _ hidden: UnsafePointer<BFloat16Bits>
    ) throws(SamplingError) {
        let position = UInt32(request.promptTokens.count + sample.tokens.count)
        let chosen = try chooser.choose(logits, noise: sample.noise, position: position)
        sample.accept(chosen, row: hidden, parameters: request.parameters)
    }
}
