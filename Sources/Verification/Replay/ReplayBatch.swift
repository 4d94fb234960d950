import Identity
import Proofs
import Sampling
import Synchronization
import Tensors

/// One completion to replay.
struct ReplayTask {
    let groupID: Hash256
    let workerKey: PublicKey
    let sample: UInt32
    let noise: NoiseWords
    let promptCount: Int
    let tokens: [Int32]

    init(_ request: ReplayRequest, completion: Int, weightsHash: Hash256) {
        groupID = request.groupID
        workerKey = request.workerKey
        sample = UInt32(completion)
        noise =
            NoiseKey(runID: request.runID, weightsHash: weightsHash, groupID: request.groupID, sample: sample).words
        promptCount = request.promptTokens.count
        tokens = request.completions[completion]
    }

    /// The replay of one of its tokens.
    func draw(_ token: Int, row: Int, chooser: Int) -> TokenDraw {
        TokenDraw(
            row: row, chooser: chooser, noise: noise, position: UInt32(promptCount + token), claimed: tokens[token])
    }
}

/// The rows of many completions one after another, and what is computed from them.
///
/// Threads write to different elements of plain memory; nothing here is resized while they run.
final class ReplayBatch {
    let rowCount: Int
    private let tasks: [ReplayTask]
    private let starts: [Int]
    private let hidden: Int
    private let chunking: Chunking
    private let rows: Storage<BFloat16Bits>
    private let logProbabilities: Storage<Float>
    private let choices: Storage<Int32>
    private let margins: Storage<Float>
    private var evidence: [[(commitment: Hash256, top: TopRows)]] = []

    init(_ tasks: [ReplayTask], hidden: Int, chunking: Chunking) {
        self.tasks = tasks
        self.hidden = hidden
        self.chunking = chunking
        var total = 0
        starts = tasks.map { task in
            defer { total += task.tokens.count }
            return total
        }
        rowCount = total
        rows = Storage(count: total * hidden, zeroed: false)
        logProbabilities = Storage(count: total, zeroed: false)
        choices = Storage(count: total, zeroed: false)
        margins = Storage(count: total, zeroed: false)
    }

    /// Takes the rows after the prompts and scores the first token of every completion.
    ///
    /// - Parameters:
    ///   - prompts: One row for each group.
    ///   - groups: The completions of each group, and what chooses their tokens.
    func setFirstRows(
        _ prompts: UnsafePointer<BFloat16Bits>, _ groups: [(tasks: Range<Int>, chooser: TokenChooser)],
        _ pass: LogitsPass
    ) throws {
        var places: [Int] = []
        var draws: [TokenDraw] = []
        for (group, item) in groups.enumerated() {
            for task in item.tasks {
                (rows.pointer + starts[task] * hidden).update(from: prompts + group * hidden, count: hidden)
                places.append(starts[task])
                draws.append(tasks[task].draw(0, row: group, chooser: group))
            }
        }
        try score(draws, groups.map(\.chooser), prompts, pass, places)
    }

    /// Takes the rows of all further tokens, completion after completion, and scores them.
    func setFollowingRows(
        _ values: UnsafePointer<BFloat16Bits>, _ groups: [(tasks: Range<Int>, chooser: TokenChooser)],
        _ pass: LogitsPass
    ) throws {
        var places: [Int] = []
        var draws: [TokenDraw] = []
        places.reserveCapacity(rowCount)
        draws.reserveCapacity(rowCount)
        for (group, item) in groups.enumerated() {
            for task in item.tasks {
                let following = tasks[task].tokens.count - 1
                (rows.pointer + (starts[task] + 1) * hidden).update(
                    from: values + draws.count * hidden, count: following * hidden)
                for token in 0..<following {
                    places.append(starts[task] + 1 + token)
                    draws.append(tasks[task].draw(1 + token, row: draws.count, chooser: group))
                }
            }
        }
        try score(draws, groups.map(\.chooser), values, pass, places)
    }

    /// Log-probabilities of the claimed tokens and the choices that the noise dictates, to their places.
    private func score(
        _ draws: [TokenDraw], _ choosers: [TokenChooser], _ values: UnsafePointer<BFloat16Bits>, _ pass: LogitsPass,
        _ places: [Int]
    ) throws {
        for (place, replayed) in zip(places, try pass.draw(draws, choosers, from: values)) {
            choices.pointer[place] = replayed.token
            logProbabilities.pointer[place] = replayed.logProbability
            margins.pointer[place] = replayed.margin
        }
    }

    /// Commitments and top values of every chunk.
    func prove(_ pool: ComputePool) throws {
        let failure = Mutex<(any Error)?>(nil)
        var collected = [[(commitment: Hash256, top: TopRows)]](repeating: [], count: tasks.count)
        collected.withUnsafeMutableBufferPointer { collected in
            // Each task writes its own element.
            nonisolated(unsafe) let collected = collected
            pool.run(tasks.count) { task, _ in
                do {
                    collected[task] = try proveTask(task)
                } catch {
                    failure.withLock { $0 = error }
                }
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
        evidence = collected
    }

    private func proveTask(_ index: Int) throws -> [(commitment: Hash256, top: TopRows)] {
        let task = tasks[index]
        return try (0..<chunking.count(forRows: task.tokens.count)).map { chunk in
            let range = chunking.range(ofChunk: chunk, rows: task.tokens.count)
            let values = UnsafeBufferPointer(
                start: UnsafePointer(rows.pointer + (starts[index] + range.lowerBound) * hidden),
                count: range.count * hidden)
            let commitment = try Commitment.make(
                rows: values, workerKey: task.workerKey, groupID: task.groupID, sample: task.sample,
                chunk: UInt32(chunk))
            return (commitment, TopRows(of: values, count: chunking.topK))
        }
    }

    /// Everything that was computed, completion by completion.
    var results: [ReplayedSample] {
        tasks.indices.map { task in
            let range = starts[task]..<starts[task] + tasks[task].tokens.count
            return ReplayedSample(
                commitments: evidence[task].map(\.commitment),
                logProbabilities: Array(logProbabilities.buffer[range]), replayedTokens: Array(choices.buffer[range]),
                margins: Array(margins.buffer[range]), topRows: evidence[task].map(\.top))
        }
    }
}
