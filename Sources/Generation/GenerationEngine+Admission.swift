import Sampling
import Tensors
import Transformer

/// Who starts.
extension GenerationEngine {
    /// Starts what comes next in a lane while sequences are free and the pages probably suffice.
    ///
    /// The first item of a lane starts in any case: it alone always fits.
    func admit(to lane: Lane) {
        guard !lane.pending.isEmpty || !lane.waiting.isEmpty else { return }
        var sequences = lane.active.reduce(0) { $0 + $1.sequences }
        var pages = expectedPages(of: lane)
        func hasRoom(_ first: Int) -> Bool {
            lane.active.isEmpty || sequences < limits.sequences && pages + first <= limits.pages
        }
        while let item = lane.pending.last {
            let isAlone = lane.active.last?.group !== item.group
            let wanted = expectedPages(of: item) + (isAlone ? item.group.sharedPages : 0)
            guard hasRoom(wanted), start(item, in: lane) else { return }
            lane.pending.removeLast()
            sequences += item.sequences
            pages += wanted
        }
        while let request = lane.waiting.first {
            guard hasRoom(GroupState.sharedPages(request) + expectedPages(of: request, tokens: 0)) else { return }
            lane.waiting.removeFirst()
            let group = makeState(request, lane)
            lane.running.append(group)
            let item = WorkItem(group)
            _ = start(item, in: lane)
            sequences += item.sequences
            pages += group.sharedPages + expectedPages(of: item)
        }
    }

    /// The pages that what is active in a lane is counted with.
    func expectedPages(of lane: Lane) -> Int { expectedPages(of: lane.active[...]) }

    func expectedPages(of items: ArraySlice<WorkItem>) -> Int {
        var pages = 0
        var last: GroupState?
        for item in items {
            // The items of a group are neighbours.
            if item.group !== last { pages += item.group.sharedPages }
            last = item.group
            pages += expectedPages(of: item)
        }
        return pages
    }

    /// The pages of its own that an item is counted with: a prompt with those of all samples of its group.
    func expectedPages(of item: WorkItem) -> Int {
        guard let sample = item.sample else {
            return item.group.samples.count * expectedPages(of: item.group.request, tokens: 0)
        }
        return expectedPages(of: item.group.request, tokens: sample.tokens.count)
    }

    private func expectedPages(of request: GroupRequest, tokens: Int) -> Int {
        GroupState.ownPages(
            request, lengths.expected(after: tokens, maximum: request.parameters.maximumTokens))
    }

    /// Gives an item a sequence and makes it the youngest that is active.
    ///
    /// - Returns: false where it has to wait until a sibling has computed their prompt again.
    private func start(_ waiting: WorkItem, in lane: Lane) -> Bool {
        let group = waiting.group
        var item = waiting
        if item.sample != nil {
            let shared = group.sharedPages
            if shared > 0, let sibling = lane.active.last(where: { $0.group === group }), let source = sibling.sequence
            {
                guard sibling.computed >= shared * KeyValuePageLayout.positions else { return false }
                item.sequence = cache.fork(source, sharing: shared)
                item.computed = shared * KeyValuePageLayout.positions
            } else {
                item.sequence = cache.makeSequence()
            }
            positionsRecomputed += UInt64(item.missing - 1)
        } else {
            item.sequence = cache.makeSequence()
        }
        lane.active.append(item)
        return true
    }

    private func makeState(_ request: GroupRequest, _ lane: Lane) -> GroupState {
        let parameters = request.parameters
        let chunkRows = min(context.chunking.rows, parameters.maximumTokens)
        let samples = (0..<UInt32(parameters.samples)).map { index in
            let key = NoiseKey(
                runID: context.runID, weightsHash: lane.noiseWeightsHash, groupID: request.groupID, sample: index)
            let rows = ChunkRows(
                capacity: chunkRows, width: configuration.hiddenSize, isCollecting: context.workerKey != nil)
            // Arrays grow as needed beyond this; a huge maximum must not cost memory that nobody uses.
            return SampleState(
                index: index, noise: key.words, rows: rows, capacity: min(parameters.maximumTokens, 64))
        }
        let chooser = TokenChooser(
            kernels: kernels, vocabularySize: configuration.vocabularySize, parameters: parameters)
        return GroupState(request, chooser: chooser, samples: samples)
    }
}
