import AsyncHTTPClient
import NIOCore
import Synchronization

/// Several upstreams that are worth the same: each request goes to the least busy one that behaves.
final class UpstreamSet: Sendable {
    /// What one operation has seen of one upstream.
    private struct Verdict {
        var tries = 0
        var isOut = false
        var error: ShardcastError?
        var notBefore: ContinuousClock.Instant?
        var backoff = Backoff(first: .milliseconds(25), longest: .seconds(1))
    }

    /// What all operations have seen of one upstream.
    private struct Standing {
        var inFlight = 0
        var failures = 0
        var notBefore: ContinuousClock.Instant?
        var backoff = Backoff()
    }

    /// Bad transfers of one shard after which a server is not asked for it again.
    private static let badTransfers = 3

    let upstreams: [Upstream]
    /// How long "I do not have it" may mean "not yet".
    let missingPatience: Duration
    private let http: HTTPClient
    private let standings: Mutex<[Standing]>
    private let rotation = Atomic<Int>(0)

    /// - Throws: ``ShardcastError`` of kind `invalidConfiguration` for an empty list.
    init(
        _ addresses: [UpstreamAddress], patience: Upstream.Patience, connections: Int, missingPatience: Duration
    ) throws(ShardcastError) {
        guard !addresses.isEmpty else {
            throw ShardcastError(.invalidConfiguration, "No relay is named: give at least one address.")
        }
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout.connect = .seconds(5)
        configuration.httpVersion = .http1Only
        // A refused connection is news that another upstream can be asked at once.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connections + 2
        let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        self.http = http
        self.missingPatience = missingPatience
        upstreams = addresses.map { Upstream($0, http: http, patience: patience) }
        standings = Mutex(addresses.map { _ in Standing() })
    }

    deinit {
        // An HTTP client that is forgotten instead of shut down is a crash in debug builds.
        Task { [http] in try? await http.shutdown() }
    }

    /// Bytes of all bodies received from all upstreams.
    var bytesReceived: UInt64 { upstreams.reduce(0) { $0 + $1.bytesReceived } }

    /// Closes the connections; the set is of no use afterwards.
    func shutDown() async {
        // Already shut down is the only error, and it is what was wanted.
        try? await http.shutdown()
    }

    /// Asks upstreams, one after the other and again, until one delivers.
    ///
    /// - Parameter what: What is wanted, for the sentence of an error.
    /// - Parameter operation: Returns nil if the upstream does not have it.
    /// - Throws: ``ShardcastError`` when the deadline passes, when nothing can be expected from any upstream any more, or
    ///   at once if the fault is on this machine.
    func attempt<Value: Sendable>(
        _ what: String, deadline: ContinuousClock.Instant,
        _ operation: (Upstream) async throws(ShardcastError) -> Value?
    ) async throws(ShardcastError) -> Value {
        let begin = ContinuousClock.now
        var verdicts = upstreams.map { _ in Verdict() }
        while true {
            guard let (index, ready) = choose(verdicts) else { throw summary(what, verdicts, isLate: false) }
            if let ready, ready > .now {
                do { try await Task.sleep(until: min(ready, deadline), clock: .continuous) } catch {
                    throw Self.cancelled(what)
                }
                if deadline <= .now { throw summary(what, verdicts, isLate: true) }
                continue
            }
            guard deadline > .now else { throw summary(what, verdicts, isLate: true) }
            standings.withLock { $0[index].inFlight += 1 }
            defer { standings.withLock { $0[index].inFlight -= 1 } }
            do throws(ShardcastError) {
                let value = try await operation(upstreams[index])
                standings.withLock { standings in
                    standings[index].failures = 0
                    standings[index].notBefore = nil
                    standings[index].backoff.reset()
                }
                if let value { return value }
                let missing = ShardcastError(.versionMissing, "\(upstreams[index].address) does not have \(what).")
                verdicts[index].error = missing
                verdicts[index].notBefore = .now + verdicts[index].backoff.next()
                verdicts[index].isOut = .now - begin > missingPatience
            } catch {
                verdicts[index].error = error
                verdicts[index].tries += 1
                switch error.consequence {
                case .here: throw error
                case .final: verdicts[index].isOut = true
                case .suspicious: verdicts[index].isOut = verdicts[index].tries >= Self.badTransfers
                case .passing: break
                }
                standings.withLock { standings in
                    standings[index].failures += 1
                    // Failures of transfers that ran side by side are one failure of the server.
                    if standings[index].notBefore.map({ $0 <= .now }) ?? true {
                        standings[index].notBefore = .now + standings[index].backoff.next()
                    }
                }
            }
        }
    }

    /// The upstream to ask next and the time before which it should not be asked; nil if none is left.
    private func choose(_ verdicts: [Verdict]) -> (Int, ContinuousClock.Instant?)? {
        let offset = rotation.wrappingAdd(1, ordering: .relaxed).oldValue
        let now = ContinuousClock.now
        return standings.withLock { standings in
            var best: (index: Int, ready: ContinuousClock.Instant?, load: Int)?
            for step in upstreams.indices {
                let index = ((offset &+ step) % upstreams.count + upstreams.count) % upstreams.count
                if verdicts[index].isOut { continue }
                let ready = [verdicts[index].notBefore, standings[index].notBefore].compactMap { $0 }.max()
                let wait = ready.flatMap { $0 > now ? $0 : nil }
                let load = standings[index].inFlight + standings[index].failures * 4
                guard let current = best else {
                    best = (index, wait, load)
                    continue
                }
                let isSooner = (wait ?? now) < (current.ready ?? now)
                if isSooner || ((wait ?? now) == (current.ready ?? now) && load < current.load) {
                    best = (index, wait, load)
                }
            }
            return best.map { ($0.index, $0.ready) }
        }
    }

    private func summary(_ what: String, _ verdicts: [Verdict], isLate: Bool) -> ShardcastError {
        let errors = verdicts.compactMap(\.error)
        // What a person must act on comes before what may pass by itself.
        let first = errors.min { $0.consequence < $1.consequence }
        guard let first else { return ShardcastError(.timedOut, "There was no time to ask anybody for \(what).") }
        if errors.count == 1, !isLate { return first }
        let details = errors.map(\.message).joined(separator: " ")
        return ShardcastError(
            first.kind, "Nobody could deliver \(what)\(isLate ? " in time" : ""). \(details)")
    }

    private static func cancelled(_ what: String) -> ShardcastError {
        ShardcastError(.shutDown, "Fetching \(what) was cancelled.")
    }
}

extension ShardcastError {
    /// What an error from one upstream means for asking on.
    enum Consequence: Int, Comparable {
        /// This machine's fault: asking elsewhere does not help.
        case here
        /// This upstream will not deliver it.
        case final
        /// May be bad luck once; not three times.
        case suspicious
        /// Passes by itself, perhaps.
        case passing

        static func < (left: Consequence, right: Consequence) -> Bool { left.rawValue < right.rawValue }
    }

    var consequence: Consequence {
        switch kind {
        case .storage, .noSpace, .shutDown, .invalidConfiguration, .directoryInUse, .portInUse, .corruptFile,
            .corruptDelta:
            .here
        case .wrongKey, .anotherRun, .unsupportedSchema, .malformedManifest, .conflictingManifest, .expired,
            .wentBackwards,
            .versionTaken:
            .final
        case .corruptShard, .truncatedShard, .oversizedShard: .suspicious
        case .unreachable, .refused, .timedOut, .versionMissing: .passing
        }
    }
}
