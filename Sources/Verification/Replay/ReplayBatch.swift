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
    }

    func setFirstRow(ofTask task: Int, _ row: UnsafeBufferPointer<BFloat16Bits>) {
        guard let base = row.baseAddress else { return }
        (rows.pointer + starts[task] * hidden).update(from: base, count: hidden)
    }

    func setFollowingRows(ofTask task: Int, _ values: UnsafePointer<BFloat16Bits>, count: Int) {
        precondition(count == tasks[task].tokens.count - 1, "every sampled token but the last has a row after it")
        (rows.pointer + (starts[task] + 1) * hidden).update(from: values, count: count * hidden)
    }

    /// Log-probabilities of the claimed tokens and the choices that the noise dictates.
    func score(_ choosers: [TokenChooser], samplesPerGroup: [Int], _ pass: LogitsPass) throws {
        // Which task and group a row belongs to, so that a row finds its own noise and position.
        var places: [(task: Int32, chooser: Int32)] = []
        places.reserveCapacity(rowCount)
        var task = 0
        for (group, count) in samplesPerGroup.enumerated() {
            for _ in 0..<count {
                places.append(
                    contentsOf: repeatElement(
                        (task: Int32(task), chooser: Int32(group)), count: tasks[task].tokens.count))
                task += 1
            }
        }
        let failure = Mutex<SamplingError?>(nil)
        pass.run(rows.pointer, count: rowCount) { row, logits in
            let place = places[row]
            let task = tasks[Int(place.task)]
            let index = row - starts[Int(place.task)]
            do throws(SamplingError) {
                let replayed = try choosers[Int(place.chooser)].replay(
                    logits, claimed: task.tokens[index], noise: task.noise,
                    position: UInt32(task.promptCount + index))
                choices.pointer[row] = replayed.choice
                logProbabilities.pointer[row] = replayed.logProbability
            } catch {
                failure.withLock { $0 = error }
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
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
                topRows: evidence[task].map(\.top))
        }
    }
}
