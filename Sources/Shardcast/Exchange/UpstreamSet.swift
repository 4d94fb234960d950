import AsyncHTTPClient
import NIOCore
import Synchronization

/// Several upstreams that are worth the same: requests spread over them by how well and how fast each delivers.
final class UpstreamSet: Sendable {
    /// What one operation has seen of one upstream.
    private struct Verdict {
        var tries = 0
        var isOut = false
        var error: ShardcastError?
        var notBefore: ContinuousClock.Instant?
        var backoff = Backoff(first: .milliseconds(25), longest: .seconds(1))
    }

    /// Until when an upstream that failed is left alone by all operations.
    private struct Rest {
        var notBefore: ContinuousClock.Instant?
        var backoff = Backoff()
    }

    /// Bad transfers of one shard after which a server is not asked for it again.
    private static let badTransfers = 3
    /// What a server that was never tried is taken for, in bytes per second, where no other is known either.
    private static let hope = 10e6
    /// An answer that took so long was held back by the server, and the next question need not wait.
    private static let heldBack: Duration = .seconds(1)

    let upstreams: [Upstream]
    /// How long "I do not have it" may mean "not yet".
    let missingPatience: Duration
    /// When shards are asked for twice.
    let hedging: Mutex<HedgeRule>
    private let http: HTTPClient
    private let rests: Mutex<[Rest]>

    /// - Throws: ``ShardcastError`` of kind `invalidConfiguration` for an empty list, or authorities that cannot be read.
    init(
        _ addresses: [UpstreamAddress], patience: Upstream.Patience, connections: Int, missingPatience: Duration
    ) throws(ShardcastError) {
        guard !addresses.isEmpty else {
            throw ShardcastError(.invalidConfiguration, "No relay is named: give at least one address.")
        }
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.tlsConfiguration = try TrustedAuthorities.configuration()
        configuration.timeout.connect = .seconds(5)
        configuration.httpVersion = .http1Only
        // A refused connection is news that another upstream can be asked at once.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connections + 2
        let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        self.http = http
        self.missingPatience = missingPatience
        hedging = Mutex(HedgeRule(patience: patience.silence / 2))
        upstreams = addresses.map { Upstream($0, http: http, patience: patience) }
        rests = Mutex(addresses.map { _ in Rest() })
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
    /// - Parameter missingPatience: How long "I do not have it" may mean "not yet"; nil for as long as is configured.
    /// - Parameter chosen: Told which upstream is asked, before it is.
    /// - Throws: ``ShardcastError`` when the deadline passes, when nothing can be expected from any upstream any more, or
    ///   at once if the fault is on this machine.
    func attempt<Value: Sendable>(
        _ what: String, deadline: ContinuousClock.Instant, missingPatience: Duration? = nil,
        chosen: (Int) -> Void = { _ in },
        _ operation: (Upstream) async throws(ShardcastError) -> Upstream.Reply<Value>
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
            chosen(index)
            let asked = ContinuousClock.now
            do throws(ShardcastError) {
                let reply = try await operation(upstreams[index])
                rests.withLock { $0[index] = Rest() }
                let sentence: String
                switch reply {
                case .value(let value): return value
                case .onItsWay:
                    sentence = "\(upstreams[index].address) is still fetching \(what) itself."
                    if .now - asked >= Self.heldBack { continue }
                case .missing:
                    sentence = "\(upstreams[index].address) does not have \(what)."
                    verdicts[index].isOut = .now - begin > missingPatience ?? self.missingPatience
                }
                verdicts[index].error = ShardcastError(.versionMissing, sentence)
                verdicts[index].notBefore = .now + verdicts[index].backoff.next()
            } catch {
                verdicts[index].error = error
                verdicts[index].tries += 1
                switch error.consequence {
                case .here: throw error
                case .final: verdicts[index].isOut = true
                case .suspicious: verdicts[index].isOut = verdicts[index].tries >= Self.badTransfers
                case .passing: break
                }
                rest(index)
            }
        }
    }

    /// The best upstream beside one that is busy with something already; nil if there is none worth asking now.
    func alternative(to index: Int) -> Upstream? {
        let now = ContinuousClock.now
        let resting = rests.withLock { $0.map { $0.notBefore.map { $0 > now } ?? false } }
        let weights = weights(at: now)
        let others = upstreams.indices.filter { $0 != index && !resting[$0] }
        return others.max { weights[$0] < weights[$1] }.map { upstreams[$0] }
    }

    /// Notes that another upstream delivered first what this one had in work.
    func overtaken(_ index: Int) {
        upstreams[index].score.withLock { $0.overtaken(at: .now) }
        rest(index)
    }

    /// How many bytes, in how many transfers, keep the upstreams busy while the next request is on its way to them.
    ///
    /// More would only make the first of them arrive later. A distant server gets more transfers, since one alone
    /// is held back by its window and by every lost packet.
    var room: (bytes: UInt64, transfers: Int) {
        var bytes = 256.0 * 1024
        var transfers = 0
        for upstream in upstreams {
            let score = upstream.score.withLock { $0 }
            guard let latency = score.latency, let bandwidth = score.bandwidth else {
                transfers += 1
                continue
            }
            guard score.success(at: .now) > 0.5 else { continue }
            bytes += bandwidth * (2 * (latency / .seconds(1)) + 0.03)
            transfers += 1 + min(Int(latency / .milliseconds(25)), 3)
        }
        return (UInt64(min(bytes, 1e12)), max(transfers, 1))
    }

    private func rest(_ index: Int) {
        rests.withLock { rests in
            // Failures of transfers that ran side by side are one failure of the server.
            if rests[index].notBefore.map({ $0 <= .now }) ?? true {
                rests[index].notBefore = .now + rests[index].backoff.next()
            }
        }
    }

    private func weights(at now: ContinuousClock.Instant) -> [Double] {
        let scores = upstreams.map { upstream in upstream.score.withLock { $0 } }
        let hope = scores.compactMap(\.bandwidth).max() ?? Self.hope
        return scores.map { $0.weight(at: now, hope: hope) }
    }

    /// The upstream to ask next and the time before which it should not be asked; nil if none is left.
    ///
    /// Drawn by weight among those that may be asked now: a draw spreads the load of many clients where taking the best
    /// would send all of them to the same one.
    private func choose(_ verdicts: [Verdict]) -> (Int, ContinuousClock.Instant?)? {
        let now = ContinuousClock.now
        let weights = weights(at: now)
        let rests = rests.withLock { $0.map(\.notBefore) }
        let left = upstreams.indices.filter { !verdicts[$0].isOut }
        let waits = left.map { index in
            [verdicts[index].notBefore, rests[index]].compactMap { $0 }.max().flatMap { $0 > now ? $0 : nil }
        }
        let ready = zip(left, waits).filter { $0.1 == nil }.map(\.0)
        if !ready.isEmpty {
            var draw = Double.random(in: 0..<1) * ready.reduce(0) { $0 + weights[$1] }
            for index in ready.dropLast() {
                draw -= weights[index]
                if draw < 0 { return (index, nil) }
            }
            return ready.last.map { ($0, nil) }
        }
        return zip(left, waits).min { ($0.1 ?? now) < ($1.1 ?? now) }
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
