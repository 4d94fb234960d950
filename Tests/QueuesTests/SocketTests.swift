import Identity
import Queues
import Testing

@Suite struct SocketTests {
    @Test func aMessageGoesThereAndBack() async throws {
        let server = CurveKey()
        let client = CurveKey()
        let router = try RouterSocket(bind: "tcp://127.0.0.1:0", serverKey: server) { _, _ in true }
        #expect(router.port > 0)
        let dealer = try DealerSocket(
            connect: "tcp://127.0.0.1:\(router.port)", serverKey: server.publicKey, keys: client)
        try dealer.send([[1, 2, 3], [], [4]])
        let request = try #require(await router.incoming.next())
        #expect(request.frames == [[1, 2, 3], [], [4]])
        #expect(request.curveKey == client.publicKey)
        #expect(request.address == "127.0.0.1")
        try router.send([[9]], to: request.peer)
        #expect(await dealer.incoming.next() == [[9]])
        await dealer.closeAndWait()
        await router.closeAndWait()
        #expect(await router.incoming.next() == nil)
        #expect(throws: QueueError.self) { try dealer.send([[1]]) }
        #expect(throws: QueueError.self) { try router.send([[1]], to: request.peer) }
    }
}
