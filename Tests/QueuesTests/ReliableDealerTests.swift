import Identity
import Queues
import Synchronization
import Testing

@Suite struct ReliableDealerTests {
    private let server = CurveKey()
    private let fast = Redelivery<Frames>.Policy(repeatAfter: .milliseconds(50), repeatAtMostAfter: .milliseconds(200))

    private func router(port: Int? = nil) throws -> RouterSocket {
        let endpoint = "tcp://127.0.0.1:\(port.map(String.init) ?? "*")"
        return try RouterSocket(bind: endpoint, serverKey: server) { _, _ in true }
    }

    private func dealer(
        _ router: RouterSocket, _ policy: Redelivery<Frames>.Policy? = nil,
        greeting: (@Sendable (UInt64) -> Frames)? = nil
    ) throws -> ReliableDealer {
        try ReliableDealer(
            connect: router.loopback, serverKey: server.publicKey, keys: CurveKey(), policy: policy ?? fast,
            greeting: greeting)
    }

    @Test func anUnansweredMessageComesAgainUntilItIsAcknowledged() async throws {
        let router = try router()
        let dealer = try dealer(router)
        let id = try dealer.send { [bytes(Int($0)), [42]] }
        for _ in 0..<3 {
            #expect(await router.incoming.next()?.frames == [bytes(Int(id)), [42]])
        }
        #expect(dealer.pendingCount == 1)
        #expect(dealer.acknowledge(id))
        #expect(dealer.pendingCount == 0)
        #expect(!dealer.acknowledge(id))
        await dealer.closeAndWait()
        await router.closeAndWait()
    }

    /// A server that hangs, or a tunnel whose far end is gone, keeps the connection open.
    ///
    /// The client leaves it, says so, and greets again.
    @Test func aSilentServerIsLeftAndFoundAgain() async throws {
        let router = try router()
        var limits = SocketLimits()
        limits.answerWithin = .milliseconds(300)
        let dealer = try ReliableDealer(
            connect: router.loopback, serverKey: server.publicKey, keys: CurveKey(), limits: limits,
            policy: .init(repeatAfter: .seconds(60)), greeting: { [bytes(Int($0)), [1]] })
        let id = try dealer.send { [bytes(Int($0)), [2]] }
        var greetings = 0
        var copies = 0
        while greetings < 3 || copies < 3 {
            let frames = try #require(await router.incoming.next()).frames
            if frames[1] == [1] { greetings += 1 } else { copies += 1 }
        }
        var seen: Set<String> = []
        for await event in dealer.events {
            switch event {
            case .connected: seen.insert("connected")
            case .silent(let duration):
                #expect(duration >= .milliseconds(300))
                seen.insert("silent")
            default: break
            }
            if seen.count == 2 { break }
        }
        dealer.acknowledge(id)
        await dealer.closeAndWait()
        await router.closeAndWait()
    }

    @Test func aServerThatOwesNothingIsNotLeft() async throws {
        let router = try router()
        let answering = Task { for await message in router.incoming { try? router.send([[2]], to: message.peer) } }
        var limits = SocketLimits()
        limits.answerWithin = .milliseconds(500)
        let dealer = try ReliableDealer(
            connect: router.loopback, serverKey: server.publicKey, keys: CurveKey(), limits: limits,
            policy: .init(repeatAfter: .seconds(600)))
        let silences = Mutex(0)
        let watching = Task {
            for await event in dealer.events {
                if case .silent = event { silences.withLock { $0 += 1 } }
            }
        }
        let id = try dealer.send { [bytes(Int($0))] }
        // On a busy machine the answer itself may come too late, and the message goes again on the next connection.
        #expect(await dealer.incoming.next() == [[2]])
        dealer.acknowledge(id)
        let before = silences.withLock { $0 }
        try await Task.sleep(for: .seconds(2))
        #expect(silences.withLock { $0 } == before)
        await dealer.closeAndWait()
        await router.closeAndWait()
        await answering.value
        await watching.value
    }

    /// Listens on the same port again.
    ///
    /// A client that connects to a port on which nobody listens may, on one machine, hold it for a moment itself, so the
    /// first attempts may find it taken.
    func reopened(_ port: Int) async throws -> RouterSocket {
        for _ in 0..<200 {
            if let socket = try? router(port: port) { return socket }
            try await Task.sleep(for: .milliseconds(50))
        }
        return try router(port: port)
    }

    /// The server is killed between receiving and answering; its successor on the same port gets the greeting first
    /// and then everything that was not answered.
    @Test func aRestartedServerGetsGreetingAndPendingMessages() async throws {
        let first = try router()
        let port = first.port
        let dealer = try dealer(first, .init(repeatAfter: .seconds(60))) { [bytes(Int($0)), [1]] }
        for _ in 0..<3 { try dealer.send { [bytes(Int($0)), [2]] } }
        #expect(await first.incoming.next()?.frames[1] == [1])
        for number in 1...3 { #expect(await first.incoming.next()?.frames == [bytes(number), [2]]) }
        dealer.acknowledge(2)
        await first.closeAndWait()
        try dealer.send { [bytes(Int($0)), [3]] }
        let second = try await reopened(port)
        let peer = try #require(await second.incoming.next())
        #expect(peer.frames[1] == [1])
        #expect(await second.incoming.next()?.frames == [bytes(1), [2]])
        #expect(await second.incoming.next()?.frames == [bytes(3), [2]])
        #expect(await second.incoming.next()?.frames[1] == [3])
        try second.send([[9]], to: peer.peer)
        #expect(await dealer.incoming.next() == [[9]])
        await dealer.closeAndWait()
        await second.closeAndWait()
    }

    /// A server that is killed again and again, at any moment, still acts on every message, and on none twice
    /// within its journal.
    @Test func nothingIsLostWhenTheServerDiesAgainAndAgain() async throws {
        let count = 60
        var current = try router()
        let port = current.port
        let dealer = try dealer(current)
        let answers = Task {
            for await frames in dealer.incoming {
                dealer.acknowledge(frames[0].withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) })
            }
        }
        for _ in 0..<count { try dealer.send { [bytes(Int($0))] } }
        var journal: Set<[UInt8]> = []
        var lives = 0
        while dealer.pendingCount > 0 {
            lives += 1
            var handled = 0
            // Each life handles a few messages, and the last of them it journals but does not answer.
            while handled < 7 || lives > 8, dealer.pendingCount > 0 {
                let request = await next(current, orUntil: { dealer.pendingCount == 0 })
                guard let request else { break }
                journal.insert(request.frames[0])
                handled += 1
                if handled == 7 && lives <= 8 { break }
                try current.send([request.frames[0]], to: request.peer)
            }
            await current.closeAndWait()
            current = try await reopened(port)
        }
        #expect(journal.count == count)
        #expect(lives > 3)
        await dealer.closeAndWait()
        await answers.value
        await current.closeAndWait()
    }

    @Test func patienceEnds() async throws {
        let router = try router()
        let dealer = try dealer(router, .init(repeatAfter: .milliseconds(20), giveUpAfter: .milliseconds(100)))
        let id = try dealer.send { [bytes(Int($0))] }
        for await event in dealer.events where event == .gaveUp(id) { break }
        #expect(dealer.pendingCount == 0)
        await dealer.closeAndWait()
        await router.closeAndWait()
    }

    @Test func pendingMessagesAreBounded() async throws {
        let router = try router()
        let dealer = try dealer(router, .init(maximumPending: 10))
        for _ in 0..<10 { try dealer.send { [bytes(Int($0))] } }
        let error = #expect(throws: QueueError.self) { try dealer.send { [bytes(Int($0))] } }
        #expect(error?.code == .backlogFull)
        await dealer.closeAndWait()
        #expect(throws: QueueError.self) { try dealer.send { [bytes(Int($0))] } }
        await router.closeAndWait()
    }

    @Test func aSignOfLifeIsNotRepeated() async throws {
        let router = try router()
        let dealer = try dealer(router)
        try dealer.sendOnce { _ in [[1]] }
        #expect(await router.incoming.next()?.frames == [[1]])
        try await Task.sleep(for: .milliseconds(150))
        #expect(router.statistics.received == 1)
        await dealer.closeAndWait()
        await router.closeAndWait()
    }

    private func next(_ router: RouterSocket, orUntil isOver: @escaping @Sendable () -> Bool) async -> Incoming? {
        await withTaskGroup(of: Incoming?.self) { group in
            group.addTask { await router.incoming.next() }
            group.addTask {
                while !isOver(), !Task.isCancelled { try? await Task.sleep(for: .milliseconds(5)) }
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }
}
