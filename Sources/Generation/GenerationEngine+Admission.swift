import Sampling
import Tensors
import Transformer

extension GenerationEngine {
    /// Lets samples of begun groups branch off from their prompts while sequences and pages are free.
    func startWaitingSamples() throws(ModelError) {
        for group in running {
            guard let prompt = group.prompt else { continue }
            while group.nextSample < group.samples.count {
                let sample = group.samples[group.nextSample]
                if sample.finishReason == nil {
                    guard decoding.count < limits.sequences, reservedPages + group.samplePages <= limits.pages else {
                        return
                    }
                    sample.sequence = try cache.fork(prompt)
                    reservedPages += group.samplePages
                    decoding.append(Decoding(group: group, sample: sample))
                }
                group.nextSample += 1
            }
            releasePrompt(of: group)
        }
    }

    /// Begins waiting groups for which there is room, and names them for the forward pass.
    ///
    /// Groups begin in order, and only when no begun group still waits for sequences or pages. Every group but the last
    /// one begun has room for all its samples, and the last has room for one at least: so the oldest work always goes
    /// on, and no set of half-started groups can block each other.
    func beginWaitingGroups() -> [GroupState] {
        var begun: [GroupState] = []
        guard running.allSatisfy({ $0.prompt == nil }) else { return begun }
        var sequences = decoding.count
        var pages = reservedPages
        while let request = waiting.first {
            let group = makeState(request)
            guard sequences < limits.sequences, pages + group.promptPages + group.samplePages <= limits.pages else {
                break
            }
            waiting.removeFirst()
            reservedPages += group.promptPages
            group.prompt = cache.makeSequence()
            running.append(group)
            begun.append(group)
            sequences += group.samples.count
            pages += group.promptPages + group.samples.count * group.samplePages
            guard sequences <= limits.sequences, pages <= limits.pages else { break }
        }
        return begun
    }

    private func makeState(_ request: GroupRequest) -> GroupState {
        let parameters = request.parameters
        let chunkRows = min(context.chunking.rows, parameters.maximumTokens)
        let samples = (0..<UInt32(parameters.samples)).map { index in
            let key = NoiseKey(
                runID: context.runID, weightsHash: noiseWeightsHash, groupID: request.groupID, sample: index)
            let rows = ChunkRows(
                capacity: chunkRows, width: weights.configuration.hiddenSize, isCollecting: context.workerKey != nil)
            // Arrays grow as needed beyond this; a huge maximum must not cost memory that nobody uses.
            return SampleState(
                index: index, noise: key.words, rows: rows, capacity: min(parameters.maximumTokens, 64))
        }
        let chooser = TokenChooser(
            kernels: kernels, vocabularySize: weights.configuration.vocabularySize, parameters: parameters)
        return GroupState(request, chooser: chooser, samples: samples)
    }
}
