/// What the control groups of a process leave it of memory (kernel documentation, cgroup-v1/memory and cgroup-v2).
enum ContainerMemory {
    /// The names of a hierarchy's files.
    private struct Hierarchy {
        let root: String
        let limit: String
        let used: String
        let reclaimable: String
    }

    private static let unified = Hierarchy(
        root: "/sys/fs/cgroup", limit: "memory.max", used: "memory.current", reclaimable: "inactive_file")
    private static let memory = Hierarchy(
        root: "/sys/fs/cgroup/memory", limit: "memory.limit_in_bytes", used: "memory.usage_in_bytes",
        reclaimable: "total_inactive_file")

    /// Bytes below the tightest limit, from the process's own group up to the root; nil where none is set.
    ///
    /// Cached files that nobody has used lately count as free, as in the system's own `MemAvailable`: a worker that has
    /// just fetched a version would else find no room for it.
    ///
    /// - Parameters:
    ///   - memberships: the content of `/proc/self/cgroup`.
    ///   - file: reads a file, or returns nil.
    static func bytes(memberships: String, reading file: (String) -> String?) -> Int? {
        memberships.split(separator: "\n").flatMap { line -> [Int] in
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { return [] }
            if fields[0] == "0" && fields[1].isEmpty { return rooms(unified, fields[2], file) }
            return fields[1].split(separator: ",").contains("memory") ? rooms(memory, fields[2], file) : []
        }.min()
    }

    /// What every group on the way from the root leaves; a path that the process cannot see is skipped.
    private static func rooms(
        _ hierarchy: Hierarchy, _ path: Substring, _ file: (String) -> String?
    ) -> [Int] {
        var folder = hierarchy.root
        var folders = [folder]
        for name in path.split(separator: "/") where name != ".." {
            folder += "/" + name
            folders.append(folder)
        }
        return folders.compactMap { folder in
            guard let limit = file("\(folder)/\(hierarchy.limit)").flatMap({ Int($0) }),
                let used = file("\(folder)/\(hierarchy.used)").flatMap({ Int($0) })
            else { return nil }
            let cached = file("\(folder)/memory.stat").flatMap { number(hierarchy.reclaimable, in: $0) } ?? 0
            return max(0, limit - max(0, used - cached))
        }
    }

    private static func number(_ name: String, in statistics: String) -> Int? {
        for line in statistics.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, words[0] == name { return Int(words[1]) }
        }
        return nil
    }
}
