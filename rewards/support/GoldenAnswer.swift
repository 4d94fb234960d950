import EnvironmentKit

/// The golden answer of a task; a task without one is the grader's fault, not the policy's.
func goldenAnswer(of task: EnvironmentTask, for reward: String) throws -> String {
    guard let answer = task.answer else {
        throw EnvironmentError(.grader, at: reward, "the task \(task.id) has no answer; this reward compares with one")
    }
    return answer
}

/// The bytes without ASCII white space at both ends.
func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var result = bytes
    while let first = result.first, isSpace(first) { result = result.dropFirst() }
    while let last = result.last, isSpace(last) { result = result.dropLast() }
    return result
}

private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
