import Identity
import Logging
import Messages
import Queues
import Tensors
import Testing

@testable import Roles

@Suite("A member's conversation with the orchestrator", .timeLimit(.minutes(3)))
struct OrchestratorSessionTests {
    /// An orchestrator that was started again, or took the member for dead, has not taken what it refuses for that.
    @Test("What is refused for want of a greeting is sent again after one")
    func saysHelloAndRepeats() async throws {
        let keys = NodeKeys()
        let router = try RouterSocket(bind: "tcp://127.0.0.1:*", serverKey: keys.curve) { _, _ in true }
        let ticket = try JoinTicket(
            host: "127.0.0.1", port: router.port, run: [UInt8](repeating: 7, count: 32),
            key: keys.publicLine.description)
        let session = try OrchestratorSession(
            SessionIdentity(ticket: ticket, keys: NodeKeys(), role: .trainer, name: "t", kernels: .preferred()),
            log: Logger(label: "session") { _ in SwiftLogNoOpLogHandler() })
        var done = Wire.BatchDone()
        done.step = 3
        try session.send(.batchDone(done))
        let listening = Task { try await session.listen { _ in } }
        var (hellos, copies) = (0, 0)
        while copies < 2 {
            let incoming = try #require(await router.incoming.next())
            let header = try ClientEnvelope(frames: incoming.frames).header
            switch header.body {
            case .hello: hellos += 1
            case .batchDone(let done):
                #expect(done.step == 3)
                copies += 1
                // The greeting of the connection, and the one that was asked for.
                #expect(hellos >= copies)
                var answer = Wire.Refusal()
                answer.code = copies == 1 ? "hello-required" : "batch-released"
                let envelope = ServerEnvelope(id: UInt64(copies), answers: header.messageID, .refusal(answer))
                try router.send(envelope.frames, to: incoming.peer)
            default: break
            }
        }
        await session.close("done")
        try await listening.value
        await router.closeAndWait()
    }
}
