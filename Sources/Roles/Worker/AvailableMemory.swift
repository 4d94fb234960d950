import Foundation

/// The memory that this process may still take.
enum AvailableMemory {
    /// In bytes: what the system can spare, or what is left of the container's limit if that is less; nil where neither
    /// is told.
    static var bytes: Int? {
        let system = text("/proc/meminfo").flatMap(systemBytes)
        let container = text("/proc/self/cgroup").flatMap { ContainerMemory.bytes(memberships: $0, reading: text) }
        return [system, container].compactMap(\.self).min()
    }

    /// The number of bytes that `/proc/meminfo` calls available.
    static func systemBytes(_ text: String) -> Int? {
        let line = text.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
        let words = line?.split(separator: " ") ?? []
        guard words.count == 3, words[2] == "kB", let kibibytes = Int(words[1]) else { return nil }
        return kibibytes.multipliedReportingOverflow(by: 1024).overflow ? nil : kibibytes * 1024
    }

    private static func text(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map {
            String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        }
    }
}
