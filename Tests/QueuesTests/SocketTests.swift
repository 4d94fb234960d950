import Identity
import Queues
import Testing

@Suite struct SocketTests {
    @Test func aMessageGoesThereAndBack() async throws {
        let pair = try Pair()
        try pair.dealer.send([[1, 2, 3], [], [4]])
        let request = try #require(await pair.router.incoming.next())
        #expect(request.frames == [[1, 2, 3], [], [4]])
        #expect(request.curveKey == pair.clientKey.publicKey)
        #expect(request.address == "127.0.0.1")
        try pair.router.send([[9]], to: request.peer)
        #expect(await pair.dealer.incoming.next() == [[9]])
        #expect(pair.router.statistics.received == 1)
        #expect(pair.dealer.statistics.sentBytes == 4)
        await pair.close()
        #expect(await pair.router.incoming.next() == nil)
        #expect(throws: QueueError.self) { try pair.dealer.send([[1]]) }
        #expect(throws: QueueError.self) { try pair.router.send([[1]], to: request.peer) }
    }

    @Test func manyMessagesKeepTheirOrder() async throws {
        let pair = try Pair()
        let count = 5000
        let sender = Task {
            for number in 0..<count {
                while true {
                    do {
                        try pair.dealer.send([bytes(number)])
                        break
                    } catch let error as QueueError where error.code == .backlogFull {
                        await Task.yield()
                    }
                }
            }
        }
        for number in 0..<count {
            #expect(await pair.router.incoming.next()?.frames == [bytes(number)])
        }
        try await sender.value
        await pair.close()
    }

    @Test func everyClientGetsItsOwnAnswers() async throws {
        let server = CurveKey()
        let router = try RouterSocket(bind: "tcp://127.0.0.1:*", serverKey: server) { _, _ in true }
        let answering = Task {
            for await request in router.incoming {
                try router.send([request.frames[0], request.curveKey], to: request.peer)
            }
        }
        await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let keys = CurveKey()
                    let dealer = try DealerSocket(
                        connect: router.loopback, serverKey: server.publicKey, keys: keys)
                    for number in 0..<50 {
                        try dealer.send([bytes(number)])
                        #expect(await dealer.incoming.next() == [bytes(number), keys.publicKey])
                    }
                    await dealer.closeAndWait()
                }
            }
        }
        await router.closeAndWait()
        try await answering.value
    }

    @Test func twoClientsWithOneKeyAreTwoPeers() async throws {
        let pair = try Pair()
        let twin = try DealerSocket(
            connect: pair.router.loopback, serverKey: pair.serverKey.publicKey, keys: pair.clientKey)
        try pair.dealer.send([[1]])
        let first = try #require(await pair.router.incoming.next())
        try twin.send([[2]])
        let second = try #require(await pair.router.incoming.next())
        #expect(first.curveKey == second.curveKey)
        #expect(first.peer != second.peer)
        try pair.router.send([[3]], to: first.peer)
        try pair.router.send([[4]], to: second.peer)
        #expect(await pair.dealer.incoming.next() == [[3]])
        #expect(await twin.incoming.next() == [[4]])
        twin.close()
        await pair.close()
    }

    @Test func closingLetsTheLastMessageOut() async throws {
        for _ in 0..<20 {
            let pair = try Pair()
            try await pair.connect()
            try pair.dealer.send([[7]])
            await pair.dealer.closeAndWait()
            #expect(await pair.router.incoming.next()?.frames == [[7]])
            await pair.close()
        }
    }

    @Test func aDepartureIsReported() async throws {
        let pair = try Pair()
        let peer = try await pair.connect()
        await pair.dealer.closeAndWait()
        for await event in pair.router.events {
            if case .left(let id, let key) = event {
                #expect(id == peer)
                #expect(key == pair.clientKey.publicKey)
                break
            }
        }
        try pair.router.send([[1]], to: peer)
        for await event in pair.router.events {
            if case .undeliverable(let id, let reason) = event {
                #expect(id == peer)
                #expect(reason == .peerGone)
                break
            }
        }
        await pair.close()
    }

    @Test func disconnectCutsOneClientWhichComesBack() async throws {
        let pair = try Pair()
        let peer = try await pair.connect()
        pair.router.disconnect(peer)
        await pair.dealer.waitFor(.disconnected)
        await pair.dealer.waitFor(.connected)
        #expect(try await pair.connect() != peer)
        await pair.close()
    }

    @Test func aUsedPortIsNamedInTheError() async throws {
        let pair = try Pair()
        let endpoint = pair.router.loopback
        let error = #expect(throws: QueueError.self) {
            try RouterSocket(bind: endpoint, serverKey: CurveKey()) { _, _ in true }
        }
        #expect(error?.code == .portInUse)
        #expect(error?.description.contains("\(pair.router.port)") == true)
        await pair.close()
        // Free again at once.
        let next = try RouterSocket(bind: endpoint, serverKey: CurveKey()) { _, _ in true }
        await next.closeAndWait()
    }

    @Test(arguments: ["", "tcp://", "nonsense", "tcp://127.0.0.1", "tcp://127.0.0.1:99999", "tcp://192.0.2.1:5555"])
    func impossibleEndpointsAreErrors(endpoint: String) {
        #expect(throws: QueueError.self) {
            try RouterSocket(bind: endpoint, serverKey: CurveKey()) { _, _ in true }
        }
    }

    @Test func impossibleClientsAreErrors() {
        #expect(throws: QueueError.self) {
            try DealerSocket(connect: "nonsense", serverKey: CurveKey().publicKey, keys: CurveKey())
        }
        #expect(throws: QueueError.self) {
            try DealerSocket(connect: "tcp://127.0.0.1:1", serverKey: [1, 2], keys: CurveKey())
        }
    }

    @Test func anAbsentServerIsReported() async throws {
        let dealer = try DealerSocket(
            connect: "tcp://127.0.0.1:1", serverKey: CurveKey().publicKey, keys: CurveKey())
        for await event in dealer.events {
            if case .retrying = event { break }
        }
        await dealer.closeAndWait()
    }

    /// Alone in a process of its own: the tests beside it open and close descriptors too.
    @Test func openingAndClosingLeavesNothingBehind() async {
        await #expect(processExitsWith: .success) {
            let limits = SocketLimits()
            func cycle(_ count: Int) async throws {
                for number in 0..<count {
                    let router = try RouterSocket(bind: "tcp://127.0.0.1:*", serverKey: CurveKey()) { _, _ in true }
                    let dealer = try DealerSocket(
                        connect: router.loopback, serverKey: CurveKey().publicKey, keys: CurveKey(), limits: limits)
                    // Every order of closing, with and without waiting, and none at all.
                    if number % 3 == 0 { await dealer.closeAndWait() }
                    if number % 2 == 0 { router.close() } else { await router.closeAndWait() }
                }
            }
            try await cycle(20)
            await settle()
            let before = openDescriptors()
            try await cycle(500)
            await settle()
            #expect(openDescriptors() <= before + 8)
        }
    }
}
