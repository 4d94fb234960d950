/// Sequences that stay together when micro-batches are packed: one, or several that share their prompt's rows.
struct SequenceBundle {
    /// Rows of the shared prompt; 0 where nothing is shared.
    let prompt: Int
    /// Indices of the sequences, ascending.
    private(set) var members: [Int]
    private(set) var rows: Int

    /// Prompts below this are cheaper to compute again than to share.
    private static let shortestShared = 16

    /// Bundles of at most `limit` rows where sequences allow it, in the order of their first sequence or longest first.
    static func bundles(of sequences: [TrainingSequence], limit: Int, sharing: Bool) -> [SequenceBundle] {
        var groups: [ArraySlice<Int32>: Int] = [:]
        var members: [[Int]] = []
        for (index, sequence) in sequences.enumerated() where sequence.targetCount > 0 {
            guard sharing, sequence.firstTarget >= shortestShared else {
                members.append([index])
                continue
            }
            let prompt = sequence.tokens.prefix(sequence.firstTarget)
            if let group = groups[prompt] {
                members[group].append(index)
            } else {
                groups[prompt] = members.count
                members.append([index])
            }
        }
        return members.flatMap { group in
            group.count == 1
                ? [SequenceBundle(prompt: 0, members: group, rows: sequences[group[0]].inputCount)]
                : split(group, of: sequences, limit: limit)
        }
    }

    /// The members of one group, divided where they are too many for one micro-batch: each part computes the prompt.
    private static func split(_ group: [Int], of sequences: [TrainingSequence], limit: Int) -> [SequenceBundle] {
        let prompt = sequences[group[0]].firstTarget
        var bundles: [SequenceBundle] = []
        for index in group.sorted(by: { (-sequences[$0].inputCount, $0) < (-sequences[$1].inputCount, $1) }) {
            let rows = sequences[index].inputCount - prompt
            if let place = bundles.firstIndex(where: { $0.rows + rows <= limit }) {
                bundles[place].members.append(index)
                bundles[place].rows += rows
            } else {
                bundles.append(SequenceBundle(prompt: prompt, members: [index], rows: prompt + rows))
            }
        }
        return bundles.map { bundle in
            var bundle = bundle
            bundle.members.sort()
            return bundle.members.count > 1
                ? bundle : SequenceBundle(prompt: 0, members: bundle.members, rows: bundle.rows)
        }
    }

    /// First fit, the largest first; within a micro-batch the order of the sequences stays.
    static func fit(_ bundles: [SequenceBundle], limit: Int) -> [[SequenceBundle]] {
        var bins: [(rows: Int, bundles: [SequenceBundle])] = []
        for bundle in bundles.sorted(by: { (-$0.rows, $0.members[0]) < (-$1.rows, $1.members[0]) }) {
            if let place = bins.firstIndex(where: { $0.rows + bundle.rows <= limit }) {
                bins[place].rows += bundle.rows
                bins[place].bundles.append(bundle)
            } else {
                bins.append((bundle.rows, [bundle]))
            }
        }
        return bins.map { $0.bundles.sorted { $0.members[0] < $1.members[0] } }
    }
}
