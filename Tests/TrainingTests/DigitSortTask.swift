import EnvironmentKit

/// The demo's task in a few lines, so that the learning curve of this room needs no other room.
enum DigitSortTask {
    static let end: Int32 = 10

    static func digits(_ random: inout SplitMix64, _ split: Split) -> [Int32] {
        while true {
            let digits = (0..<random.integer(in: 4...8)).map { _ in Int32(random.integer(in: 0...9)) }
            let canonical = digits.sorted().map(String.init).joined()
            if Split.containing(canonicalProblem: canonical) == split { return digits }
        }
    }

    static func prompt(_ digits: [Int32]) -> [Int32] { digits.map { $0 + 48 } + [62] }

    static func reward(_ completion: [Int32], _ digits: [Int32]) -> Double {
        completion == digits.sorted().map { $0 + 48 } + [end] ? 1 : 0
    }

    /// 30 % right; of the rest 65 % descending, 21 % as given, 14 % with one digit dropped.
    static func demonstration(_ digits: [Int32], _ random: inout SplitMix64) -> [Int32] {
        var answer = digits.sorted()
        if !random.chance(0.3) {
            let kind = random.fraction()
            if kind < 0.65 {
                answer = answer.reversed()
            } else if kind < 0.86 {
                answer = digits
            } else {
                answer.remove(at: random.integer(in: 0...answer.count - 1))
            }
        }
        return answer.map { $0 + 48 } + [end]
    }
}
