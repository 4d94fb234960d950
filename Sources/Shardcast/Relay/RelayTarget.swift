import Identity

/// What a request asks for, read from its path without decoding anything.
///
/// Paths of files are built from the integers and hashes in here; no byte of a request reaches the file system.
enum RelayTarget: Equatable, Sendable {
    case latest(after: UInt64?, waitMilliseconds: UInt64?)
    case manifest(UInt64)
    case shard(Hash256)
    case health
    case metrics
    case unknown
    /// A known path with something wrong in it.
    case malformed(String)

    init(path: String) {
        let parts = path.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = parts[0]
        if path == "/manifests/latest" {
            self = Self.latest(query: parts.count == 2 ? parts[1] : "")
        } else if path.hasPrefix("/manifests/") {
            let name = path.dropFirst("/manifests/".count)
            self =
                VersionNumber.parse(name: name).map { .manifest($0) }
                ?? .malformed("a manifest is called latest or v and a number")
        } else if path.hasPrefix("/shards/") {
            self =
                Self.hash(path.dropFirst("/shards/".count)).map { .shard($0) }
                ?? .malformed("a shard is called by its SHA-256 in 64 lower-case hexadecimal digits")
        } else {
            self =
                switch path {
                case "/health": .health
                case "/metrics": .metrics
                default: .unknown
                }
        }
    }

    /// One hash has one name: lower case only, so that caches in front never hold it twice.
    private static func hash(_ name: Substring) -> Hash256? {
        guard name.utf8.count == 64,
            !name.utf8.contains(where: { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) })
        else { return nil }
        return Hash256(hex: String(name))
    }

    private static func latest(query: Substring) -> RelayTarget {
        var after: UInt64?
        var wait: UInt64?
        for item in query.split(separator: "&") {
            if item.hasPrefix("after=") {
                guard let value = VersionNumber.parse(digits: item.dropFirst("after=".count)) else {
                    return .malformed("after is a version number")
                }
                after = value
            } else if item.hasPrefix("wait=") {
                guard let value = VersionNumber.parse(digits: item.dropFirst("wait=".count)) else {
                    return .malformed("wait is a number of milliseconds")
                }
                wait = value
            }
        }
        return .latest(after: after, waitMilliseconds: wait)
    }

    /// A bounded label for metrics.
    var route: RelayMetrics.Route {
        switch self {
        case .latest: .latest
        case .manifest: .manifest
        case .shard: .shard
        case .health, .metrics: .status
        case .unknown, .malformed: .other
        }
    }
}
