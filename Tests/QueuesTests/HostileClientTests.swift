import CZeroMQ
import Foundation
import Identity
import Synchronization
import Testing

@testable import Queues

@Suite struct HostileClientTests {
    @Test func anUnknownKeyIsToldSoAndHearsNothing() async throws {
        let server = CurveKey()
        let friend = CurveKey()
        let router = try RouterSocket(bind: "tcp://127.0.0.1:*", serverKey: server) { key, address in
            key == friend.publicKey && address == "127.0.0.1"
        }
        let stranger = CurveKey()
        let dealer = try DealerSocket(connect: router.loopback, serverKey: server.publicKey, keys: stranger)
        try dealer.send([[1]])
        await dealer.waitFor(.refused)
        await router.waitForEvent { $0 == .refused(curveKey: stranger.publicKey, address: "127.0.0.1") }
        let admitted = try DealerSocket(connect: router.loopback, serverKey: server.publicKey, keys: friend)
        try admitted.send([[2]])
        #expect(await router.incoming.next()?.frames == [[2]])
        #expect(router.statistics.received == 1)
        #expect(router.statistics.refusedKeys >= 1)
        dealer.close()
        admitted.close()
        await router.closeAndWait()
    }

    /// libzmq gives up after a refusal; a contributor who is admitted a little later must not have to start again.
    @Test func aRefusedClientGetsInWhenItIsAdmitted() async throws {
        let server = CurveKey()
        let isOpen = Atomic<Bool>(false)
        let router = try RouterSocket(bind: "tcp://127.0.0.1:*", serverKey: server) { _, _ in
            isOpen.load(ordering: .acquiring)
        }
        var limits = SocketLimits()
        limits.reconnectAtMostAfter = .milliseconds(150)
        let dealer = try DealerSocket(
            connect: router.loopback, serverKey: server.publicKey, keys: CurveKey(), limits: limits)
        try dealer.send([[1]])
        await dealer.waitFor(.refused)
        await dealer.waitFor(.refused)
        isOpen.store(true, ordering: .releasing)
        await dealer.waitFor(.connected)
        #expect(await router.incoming.next()?.frames == [[1]])
        #expect(router.statistics.received == 1)
        await dealer.closeAndWait()
        await router.closeAndWait()
    }

    @Test func aServerThatSendsTooMuchIsLeftAndFoundAgain() async throws {
        var tight = SocketLimits()
        tight.frameBytes = 100_000
        let pair = try Pair(.standard, tight)
        let peer = try await pair.connect()
        try pair.router.send([[UInt8](repeating: 1, count: 200_000)], to: peer)
        await pair.dealer.waitFor(.disconnected)
        await pair.dealer.waitFor(.connected)
        let again = try await pair.connect()
        try pair.router.send([[5]], to: again)
        #expect(await pair.dealer.incoming.next() == [[5]])
        await pair.close()
    }

    @Test func aWrongServerKeyEndsTheHandshake() async throws {
        let router = try RouterSocket(bind: "tcp://127.0.0.1:*", serverKey: CurveKey()) { _, _ in true }
        let dealer = try DealerSocket(
            connect: router.loopback, serverKey: CurveKey().publicKey, keys: CurveKey())
        try dealer.send([[1]])
        for await event in dealer.events {
            if case .handshakeBroken = event { break }
        }
        await router.waitForEvent { if case .handshakeBroken = $0 { true } else { false } }
        #expect(router.statistics.received == 0)
        dealer.close()
        await router.closeAndWait()
    }

    @Test func aClientWithoutEncryptionGetsNothing() async throws {
        let router = try RouterSocket(bind: "tcp://127.0.0.1:*", serverKey: CurveKey()) { _, _ in true }
        let client = try PlainClient(router.loopback, keys: nil, serverKey: nil)
        client.send([[1], [2]])
        await router.waitForEvent { if case .handshakeBroken = $0 { true } else { false } }
        #expect(router.statistics.received == 0)
        #expect(client.receive() == nil)
        client.close()
        await router.closeAndWait()
    }

    @Test func aClientCannotChooseItsRoute() async throws {
        let server = CurveKey()
        let router = try RouterSocket(bind: "tcp://127.0.0.1:*", serverKey: server) { _, _ in true }
        let client = try PlainClient(
            router.loopback, keys: CurveKey(), serverKey: server.publicKey, route: [UInt8]("victim".utf8))
        client.send([[1]])
        await router.waitForEvent { if case .cut(_, .misbehaved) = $0 { true } else { false } }
        #expect(router.statistics.dropped[.chosenRoute, default: 0] >= 1)
        #expect(router.statistics.received == 0)
        client.close()
        await router.closeAndWait()
    }

    /// A client that takes a route in use is never heard; answers go on to the owner.
    @Test func aRouteInUseCannotBeTakenOver() async throws {
        let pair = try Pair()
        let peer = try await pair.connect()
        let route = [0] + withUnsafeBytes(of: peer.route.bigEndian) { [UInt8]($0) }
        let thief = try PlainClient(
            pair.router.loopback, keys: CurveKey(), serverKey: pair.serverKey.publicKey, route: route)
        thief.send([[66]])
        for number in 0..<50 {
            try pair.router.send([bytes(number)], to: peer)
            #expect(await pair.dealer.incoming.next() == [bytes(number)])
            try await Task.sleep(for: .milliseconds(2))
        }
        #expect(thief.receive() == nil)
        #expect(pair.router.statistics.received == 1)
        thief.close()
        await pair.close()
    }

    @Test func tooManyFramesAreRefused() async throws {
        var generous = SocketLimits()
        generous.frames = 2000
        let pair = try Pair(.standard, generous)
        try pair.dealer.send(Frames(repeating: [1], count: 1000))
        await pair.router.waitForEvent { if case .cut(_, .misbehaved) = $0 { true } else { false } }
        #expect(pair.router.statistics.dropped == [.tooManyFrames: 1])
        // Cut, but not banned: it may come back and behave.
        await pair.dealer.waitFor(.disconnected)
        await pair.dealer.waitFor(.connected)
        try pair.dealer.send([[5]])
        #expect(await pair.router.incoming.next()?.frames == [[5]])
        await pair.close()
    }

    @Test func tooManyBytesAreRefused() async throws {
        var tight = SocketLimits()
        tight.messageBytes = 2 << 20
        let pair = try Pair(tight, .standard)
        try pair.dealer.send(Frames(repeating: [UInt8](repeating: 1, count: 1 << 20), count: 3))
        await pair.router.waitForEvent { if case .cut(_, .misbehaved) = $0 { true } else { false } }
        #expect(pair.router.statistics.dropped == [.tooManyBytes: 1])
        await pair.close()
    }

    @Test func aLargeFrameEndsTheConnection() async throws {
        var tight = SocketLimits()
        tight.frameBytes = 100_000
        let pair = try Pair(tight, .standard)
        try await pair.connect()
        try pair.dealer.send([[UInt8](repeating: 1, count: 200_000)])
        await pair.dealer.waitFor(.disconnected)
        #expect(pair.router.statistics.received == 1)
        await pair.close()
    }

    /// Announces a gigabyte in the middle of the handshake, where everybody may speak, and sends what it can.
    ///
    /// Alone in a process of its own: the tests beside it take memory too.
    @Test func aGigabyteFrameIsNotEvenAllocated() async {
        await #expect(processExitsWith: .success) {
            let router = try RouterSocket(bind: "tcp://127.0.0.1:*", serverKey: CurveKey()) { _, _ in true }
            let before = residentBytes()
            var greeting: [UInt8] = [0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0]
            greeting += [UInt8]("CURVE".utf8) + [UInt8](repeating: 0, count: 15 + 32)
            for flags in [UInt8(0x06), 0x02] {
                let stream = try RawStream(port: router.port)
                stream.write(greeting + [flags] + withUnsafeBytes(of: UInt64(1 << 30).bigEndian) { [UInt8]($0) })
                let piece = [UInt8](repeating: 7, count: 1 << 20)
                for _ in 0..<64 where stream.write(piece) {}
                stream.waitForEnd()
                stream.close()
            }
            #expect(residentBytes() - before < 32 << 20)
            #expect(router.statistics.received == 0)
            await router.closeAndWait()
        }
    }

    @Test func noiseDoesNotDisturbOthers() async throws {
        var limits = SocketLimits()
        limits.connectionsPerAddress = 1000
        let pair = try Pair(limits, .standard)
        var random = SystemRandomNumberGenerator()
        for round in 0..<100 {
            let stream = try RawStream(port: pair.router.port)
            stream.write((0..<Int.random(in: 0...200)).map { _ in UInt8.random(in: 0...255, using: &random) })
            if round % 2 == 0 { stream.waitForEnd(atMostMilliseconds: 1) }
            stream.close()
            try pair.dealer.send([bytes(round)])
            #expect(await pair.router.incoming.next()?.frames == [bytes(round)])
        }
        await pair.close()
    }

    @Test func silentConnectionsAreCut() async throws {
        var limits = SocketLimits()
        limits.firstMessageWithin = .milliseconds(100)
        limits.handshakeWithin = .seconds(60)
        let pair = try Pair(limits, .standard)
        let raw = try RawStream(port: pair.router.port)
        await pair.router.waitForEvent { if case .cut(_, .silent) = $0 { true } else { false } }
        raw.waitForEnd()
        raw.close()
        await pair.close()
    }

    @Test func connectionsFromOneAddressAreLimited() async throws {
        var limits = SocketLimits()
        limits.connectionsPerAddress = 5
        let pair = try Pair(limits, .standard)
        try await pair.connect()
        let streams = try (0..<10).map { _ in try RawStream(port: pair.router.port) }
        var cuts = 0
        for await event in pair.router.events {
            if case .cut("127.0.0.1", .tooManyFromAddress) = event { cuts += 1 }
            if cuts == 6 { break }
        }
        // The honest client, which came first, is not disturbed.
        try pair.dealer.send([[8]])
        #expect(await pair.router.incoming.next()?.frames == [[8]])
        for stream in streams { stream.close() }
        await pair.close()
    }

    /// Frames of a message without an end never reach the program, but the guard sees the bytes.
    @Test func anEndlessMessageIsCutWhileItGrows() async throws {
        guard NetworkSocket.countsBytes else { return }
        var tight = SocketLimits()
        tight.frameBytes = 64 << 10
        tight.messageBytes = 256 << 10
        var generous = SocketLimits()
        generous.frames = 10_000
        generous.messageBytes = 64 << 20
        let server = CurveKey()
        let router = try RouterSocket(bind: "tcp://127.0.0.1:*", serverKey: server, limits: tight) { _, _ in true }
        // A network of 8 MB/s, so that the message takes seconds.
        let proxy = try SlowProxy(to: router.port, bytesPerSecond: 8 << 20)
        let dealer = try DealerSocket(
            connect: "tcp://127.0.0.1:\(proxy.port)", serverKey: server.publicKey, keys: CurveKey(), limits: generous)
        try dealer.send(Frames(repeating: [UInt8](repeating: 1, count: 32 << 10), count: 1000))
        await router.waitForEvent { if case .cut(_, .endlessMessage) = $0 { true } else { false } }
        await dealer.waitFor(.disconnected)
        #expect(router.statistics.received == 0)
        dealer.close()
        proxy.close()
        await router.closeAndWait()
    }
}
