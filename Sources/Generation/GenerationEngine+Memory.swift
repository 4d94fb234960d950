import Tensors
import Transformer

/// Who makes room.
extension GenerationEngine {
    /// Decides how many positions every active item computes in this step, and frees the pages that they take.
    func planRows(_ lane: Lane) {
        var promptRows = limits.promptRows
        var pages = 0
        for index in lane.active.indices {
            var rows = lane.active[index].missing
            if rows > 1 {
                rows = min(rows, promptRows)
                promptRows -= rows
            }
            lane.active[index].rows = rows
            pages += lane.active[index].newPages
        }
        while pages > cache.availablePages, let item = preemptYoungest(keeping: 1, in: lane) {
            if item.lane === lane { pages -= item.item.newPages }
        }
    }

    /// Lets the samples of a group branch off from its computed prompt, from index `first` of the lane on.
    ///
    /// One sample takes over the prompt's own sequence. Those for which there is no room come later, with the shared pages
    /// of a sibling.
    func branch(_ lane: Lane, from first: Int) throws(ModelError) {
        let group = lane.active[first].group
        guard let prompt = group.prompt else { return }
        let length = group.request.promptTokens.count
        let copies = length % KeyValuePageLayout.positions == 0 ? 0 : 1
        var sequences = lane.active[...first].reduce(0) { $0 + $1.sequences }
        var pages = expectedPages(of: lane.active[...first])
        var index = first
        while index < lane.active.count, lane.active[index].group === group, let sample = lane.active[index].sample {
            let hasSibling = index + 1 < lane.active.count && lane.active[index + 1].group === group
            let next = hasSibling ? expectedPages(of: lane.active[index + 1]) : 0
            let mayGoOn = hasSibling && sequences < limits.sequences && pages + next <= limits.pages
            sample.computed = length
            if mayGoOn, makeRoom(copies, keeping: index + 1, in: lane) {
                sample.sequence = try cache.fork(prompt)
                pages += next
                sequences += 1
                index += 1
            } else {
                sample.sequence = prompt
                group.prompt = nil
                // Siblings without room wait, and so does whatever is younger than they are.
                while hasSibling, lane.active.count > index + 1, let item = lane.active.popLast() {
                    putOff(item, in: lane)
                }
                return
            }
        }
        releasePrompt(of: group)
    }

    /// Frees what an item holds.
    func release(_ item: WorkItem) {
        guard let sample = item.sample else { return releasePrompt(of: item.group) }
        if let sequence = sample.sequence { cache.release(sequence) }
        sample.sequence = nil
    }

    func releasePrompt(of group: GroupState) {
        if let prompt = group.prompt { cache.release(prompt) }
        group.prompt = nil
    }

    private func makeRoom(_ pages: Int, keeping count: Int, in lane: Lane) -> Bool {
        while cache.availablePages < pages {
            guard preemptYoungest(keeping: count, in: lane) != nil else { return false }
        }
        return true
    }

    /// Takes the pages of the youngest work of all, but not of the first `count` items of a lane.
    private func preemptYoungest(keeping count: Int, in lane: Lane) -> (item: WorkItem, lane: Lane)? {
        guard let youngest = lanes.last(where: { !$0.active.isEmpty }),
            youngest !== lane || youngest.active.count > count, let item = youngest.active.popLast()
        else { return nil }
        putOff(item, in: youngest)
        return (item, youngest)
    }

    private func putOff(_ item: WorkItem, in lane: Lane) {
        if let sample = item.sample, sample.sequence == nil {
            // It has not branched off; the prompt stays with its siblings, if any are left.
            sample.computed = 0
            if lane.active.last?.group !== item.group { releasePrompt(of: item.group) }
        } else {
            preemptions += 1
            if item.sample == nil { positionsRecomputed += UInt64(item.computed) }
            release(item)
        }
        lane.pending.append(item)
    }
}
