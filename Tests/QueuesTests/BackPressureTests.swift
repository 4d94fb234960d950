import Identity
import Queues
import Testing

@Suite(.timeLimit(.minutes(3))) struct BackPressureTests {
    /// A program that does not read makes its socket stop reading, and the sender's `send` refuse: nothing is lost,
    /// and nothing grows without bound in between.
    @Test func aSlowReaderIsFeltByTheSender() async throws {
        var small = SocketLimits()
        small.inboxMessages = 8
        small.outboxMessages = 16
        small.messagesPerConnection = 4
        // Bytes that nobody reads are not answered either. Here it comes back, however busy the machine is:
        // what happens to a connection that is given up is the business of others.
        small.probeWithin = .seconds(1200)
        let pair = try Pair(small, small)
        let payload = [UInt8](repeating: 5, count: 100_000)
        var sent = 0
        var refusals = 0
        // Until nothing has moved for a while: all buffers between are full then.
        while refusals < 50 {
            do {
                try pair.dealer.send([bytes(sent), payload])
                sent += 1
                refusals = 0
            } catch {
                #expect(error.code == .backlogFull)
                refusals += 1
                try await Task.sleep(for: .milliseconds(4))
            }
        }
        #expect(pair.router.incoming.count <= 8)
        #expect(pair.dealer.backlog <= 16)
        #expect(sent < 1000)
        for number in 0..<sent {
            // What was lost would be waited for without end.
            try #require(await pair.router.incoming.next()?.frames == [bytes(number), payload])
        }
        await pair.close()
    }

    /// Room by bytes, not only by count.
    @Test func heavyMessagesFillTheInboxToo() async throws {
        var small = SocketLimits()
        small.inboxBytes = 300_000
        let pair = try Pair(small, .standard)
        for number in 0..<40 { try pair.dealer.send([bytes(number), [UInt8](repeating: 1, count: 100_000)]) }
        try await Task.sleep(for: .milliseconds(50))
        #expect(pair.router.incoming.count <= 3)
        for number in 0..<40 { #expect(await pair.router.incoming.next()?.frames.first == bytes(number)) }
        await pair.close()
    }

    @Test func aClientThatDoesNotReadIsCutAndOthersAreServed() async throws {
        var small = SocketLimits()
        small.inboxMessages = 4
        small.messagesPerConnection = 4
        small.peerBacklogBytes = 8 << 20
        let pair = try Pair(small, small)
        let lazy = try await pair.connect()
        let other = try DealerSocket(
            connect: pair.router.loopback, serverKey: pair.serverKey.publicKey, keys: CurveKey())
        try other.send([[1]])
        let busy = try #require(await pair.router.incoming.next()).peer
        let payload = [UInt8](repeating: 1, count: 1 << 20)
        let flood = Task {
            for number in 0..<200 {
                try pair.router.send([payload], to: lazy)
                try pair.router.send([bytes(number)], to: busy)
                try await Task.sleep(for: .milliseconds(1))
            }
        }
        for number in 0..<200 { #expect(await other.incoming.next() == [bytes(number)]) }
        try await flood.value
        await pair.router.waitForEvent { $0 == .undeliverable(lazy, .peerTooSlow) }
        #expect(pair.router.statistics.cut[.tooSlow, default: 0] >= 1)
        other.close()
        await pair.close()
    }

    /// A burst for one client is kept until it has been read, in order.
    @Test func aBurstIsNoReasonToCut() async throws {
        var small = SocketLimits()
        small.messagesPerConnection = 4
        small.inboxMessages = 4
        let pair = try Pair(small, small)
        let peer = try await pair.connect()
        let payload = [UInt8](repeating: 1, count: 20_000)
        for number in 0..<1000 { try pair.router.send([bytes(number), payload], to: peer) }
        for number in 0..<1000 { #expect(await pair.dealer.incoming.next()?.first == bytes(number)) }
        #expect(pair.router.statistics.cut == [:])
        await pair.close()
    }

    @Test func aStalledClientIsCutInTheEnd() async throws {
        var small = SocketLimits()
        small.messagesPerConnection = 4
        small.inboxMessages = 4
        small.stallWithin = .milliseconds(100)
        // Stalling is what ends the connection here, and more is sent than the system's own buffers take.
        small.probeWithin = .seconds(1200)
        let pair = try Pair(small, small)
        let peer = try await pair.connect()
        for _ in 0..<60 { try pair.router.send([[UInt8](repeating: 1, count: 1 << 20)], to: peer) }
        await pair.router.waitForEvent { $0 == .cut(address: "127.0.0.1", .tooSlow) }
        await pair.close()
    }

    /// With libzmq's own heartbeats such clients would end the server's process: an assertion fails where one is due on a
    /// connection that was lost while the reader was behind.
    ///
    /// - Parameter heartbeatTTL: milliseconds; the client asks the server to give it up after that time of silence.
    @Test(arguments: [nil, 100, 1500] as [Int32?])
    func clientsThatFillTheServerAndLeaveHarmNobody(_ heartbeatTTL: Int32?) async {
        await #expect(processExitsWith: .success) { [heartbeatTTL] in
            var small = SocketLimits()
            small.inboxMessages = 4
            small.messagesPerConnection = 4
            small.probeEvery = .milliseconds(100)
            let pair = try Pair(small, .standard)
            let flood = try PlainClient(
                pair.router.loopback, keys: CurveKey(), serverKey: pair.serverKey.publicKey, heartbeatTTL: heartbeatTTL)
            for number in 0..<100 { flood.send([bytes(number), [UInt8](repeating: 5, count: 100_000)]) }
            while pair.router.incoming.count < 4 { try await Task.sleep(for: .milliseconds(10)) }
            try await Task.sleep(for: .milliseconds(500))
            flood.close()
            try await Task.sleep(for: .seconds(1))
            try pair.dealer.send([[1]])
            while await pair.router.incoming.next()?.frames != [[1]] {}
            await pair.close()
        }
    }

    @Test func oversizedMessagesAreRefusedWhereTheyAreMade() async throws {
        var small = SocketLimits()
        small.frameBytes = 1000
        small.messageBytes = 1500
        small.frames = 3
        let pair = try Pair(.standard, small)
        let frame = [UInt8](repeating: 0, count: 1000)
        for frames in [[frame + [1]], [frame, frame], [[], [], [], []], []] {
            let error = #expect(throws: QueueError.self) { try pair.dealer.send(frames) }
            #expect(error?.code == .tooLarge)
        }
        try pair.dealer.send([frame, [], [1]])
        #expect(await pair.router.incoming.next()?.frames == [frame, [], [1]])
        await pair.close()
    }

    @Test func cancellingAReaderLosesNothing() async throws {
        let pair = try Pair()
        for _ in 0..<50 {
            let impatient = Task { await pair.router.incoming.next() }
            impatient.cancel()
            try pair.dealer.send([[1]])
            // Either the cancelled reader took it, or it is still there.
            if await impatient.value == nil { #expect(await pair.router.incoming.next()?.frames == [[1]]) }
        }
        await pair.close()
    }

    @Test func severalReadersShareTheMessages() async throws {
        let pair = try Pair()
        let total = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    var count = 0
                    for await _ in pair.router.incoming { count += 1 }
                    return count
                }
            }
            for _ in 0..<400 { try? pair.dealer.send([[1]]) }
            while pair.router.statistics.received < 400 { await Task.yield() }
            await pair.close()
            return await group.reduce(0, +)
        }
        #expect(total == 400)
    }
}
