import Tensors
import Transformer

/// Who makes room.
extension GenerationEngine {
    /// Decides how many positions every active item computes in this step, and frees the pages that they take.
    func planRows(_ lane: Lane) {
        var promptRows = limits.promptRows
        var pages = 0
        lane.active.withUnsafeMutableBufferPointer { items in
            for index in items.indices {
                items[index].plan(&promptRows)
                pages += items[index].newPages
            }
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
        let copies = group.promptCount % KeyValuePageLayout.positions == 0 ? 0 : 1
        var sequences = lane.active[...first].reduce(0) { $0 + $1.sequences }
        var pages = expectedPages(of: lane.active[...first])
        var index = first
        while index < lane.active.count, lane.active[index].group === group {
            let hasSibling = index + 1 < lane.active.count && lane.active[index + 1].group === group
            let next = hasSibling ? expectedPages(of: lane.active[index + 1]) : 0
            let mayGoOn = hasSibling && sequences < limits.sequences && pages + next <= limits.pages
            if mayGoOn, makeRoom(copies, keeping: index + 1, in: lane) {
                lane.active[index].sequence = try cache.fork(prompt)
                pages += next
                sequences += 1
                index += 1
            } else {
                lane.active[index].sequence = prompt
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

    /// Frees what a prompt holds whose samples need it no more.
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
        if let sequence = item.sequence {
            preemptions += 1
            if item.sample == nil { positionsRecomputed += UInt64(item.computed) }
            cache.release(sequence)
        } else if lane.active.last?.group !== item.group {
            // It has not branched off, and no sibling is left that could.
            releasePrompt(of: item.group)
        }
        lane.pending.append(WorkItem(item.group, item.sample))
    }
}
