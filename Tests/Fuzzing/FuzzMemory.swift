import Foundation

/// What a loop over hostile inputs takes of memory: a length that somebody believed shows as a peak.
///
/// Measured for the whole process, so only where nothing but fuzz loops runs: with `APUS_FUZZ_CASES`.
public struct FuzzMemory {
    private let before: Peaks

    private struct Peaks {
        var resident = 0
        var reserved = 0
    }

    /// Notes what the process took until now; nil where other tests run beside it, or the system does not tell.
    public init?() {
        guard ProcessInfo.processInfo.environment["APUS_FUZZ_CASES"] != nil, let peaks = Self.peaks else { return nil }
        before = peaks
    }

    /// By how much the peaks have risen, in MiB: of memory that was touched, and of memory that was only asked for.
    public var growth: (resident: Int, reserved: Int) {
        let now = Self.peaks ?? before
        return ((now.resident - before.resident) >> 10, (now.reserved - before.reserved) >> 10)
    }

    /// In KiB, as `/proc/self/status` has them.
    private static var peaks: Peaks? {
        guard let data = FileManager.default.contents(atPath: "/proc/self/status") else { return nil }
        var peaks = Peaks()
        for line in String(decoding: data, as: UTF8.self).split(separator: "\n") {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count == 3, let number = Int(words[1]) else { continue }
            if words[0] == "VmHWM:" { peaks.resident = number }
            if words[0] == "VmPeak:" { peaks.reserved = number }
        }
        return peaks.resident > 0 ? peaks : nil
    }
}
