import Foundation
import Messages
import SwiftProtobuf
import Testing

@Suite struct StrictnessTests {
    @Test func everyRangeOfAHelloIsChecked() {
        refuse(.outOfRange, "client message.hello.identity_key") { $0.identityKey = Data(count: 31) }
        refuse(.outOfRange, "client message.hello.identity_key") { $0.identityKey = Data(count: 33) }
        refuse(.missing, "client message.hello.identity_key") { $0.identityKey = Data() }
        refuse(.missing, "client message.hello.role") { $0.role = .unspecified }
        refuse(.outOfRange, "client message.hello.role") { $0.role = .UNRECOGNIZED(4) }
        refuse(.outOfRange, "client message.hello.role") { $0.role = .UNRECOGNIZED(-1) }
        refuse(.outOfRange, "client message.hello.name") { $0.name = String(repeating: "x", count: 65) }
        refuse(.outOfRange, "client message.hello.name") { $0.name = "red \u{1b}[31m" }
        refuse(.outOfRange, "client message.hello.name") { $0.name = "line\nline" }
        refuse(.outOfRange, "client message.hello.name") { $0.name = "c1 \u{9b}31m" }
        refuse(.outOfRange, "client message.hello.tokens_per_second") { $0.tokensPerSecond = .nan }
        refuse(.outOfRange, "client message.hello.tokens_per_second") { $0.tokensPerSecond = .infinity }
        refuse(.outOfRange, "client message.hello.tokens_per_second") { $0.tokensPerSecond = -1 }
        refuse(.outOfRange, "client message.hello.kernel_digest") { $0.kernelDigest = Data([1]) }
    }

    @Test func everyRangeOfAGroupIsChecked() {
        refuse(.outOfRange, "group.samples.log_probabilities") { $0.samples[0].logProbabilities[1] = .nan }
        refuse(.outOfRange, "group.samples.log_probabilities") { $0.samples[0].logProbabilities[1] = -.infinity }
        refuse(.outOfRange, "group.samples.commitments") { $0.samples[0].commitments[0] = Data(count: 5) }
        refuse(.outOfRange, "group.samples.toploc_proofs") { $0.samples[0].toplocProofs[0] = Data() }
        refuse(.outOfRange, "group.samples.toploc_proofs") { $0.samples[0].toplocProofs[0] = Data(count: 4097) }
        refuse(.missing, "group.samples.finish_reason") { $0.samples[0].finishReason = .unspecified }
        refuse(.outOfRange, "group.samples.finish_reason") { $0.samples[0].finishReason = .UNRECOGNIZED(3) }
        refuse(.outOfRange, "group.prompt_tokens") { $0.promptTokens[0] = UInt32.max }
        refuse(.outOfRange, "group.sampling.temperature") { $0.sampling.temperature = .nan }
        refuse(.outOfRange, "group.sampling.temperature") { $0.sampling.temperature = -0.1 }
        refuse(.outOfRange, "group.sampling.top_p") { $0.sampling.topP = 1.5 }
        refuse(.outOfRange, "group.sampling.samples") { $0.sampling.samples = 100_000 }
        refuse(.missing, "group.sampling.samples") { $0.sampling.samples = 0 }
        refuse(.missing, "group.sampling") { $0.clearSampling() }
        refuse(.missing, "group.worker_key") { $0.workerKey = Data() }
    }

    @Test func countsAreCheckedBeforeDecoding() {
        refuse(.tooMany, "group.samples") { $0.samples = .init(repeating: $0.samples[1], count: 257) }
        refuse(.tooMany, "group.prompt_tokens") { $0.promptTokens = .init(repeating: 0, count: 65_537) }
        refuse(.tooMany, "group.samples.tokens") { $0.samples[0].tokens = .init(repeating: 0, count: 65_537) }
        refuse(.tooMany, "group.samples.log_probabilities") {
            $0.samples[0].logProbabilities = .init(repeating: 0, count: 65_537)
        }
        refuse(.tooMany, "group.samples.commitments") {
            $0.samples[0].commitments = .init(repeating: Examples.hash, count: 5000)
        }
        let tight = Limits.standard.tightened(samples: 2, promptTokens: 3, completionTokens: 2)
        #expect(throws: MessageError.self) {
            try Wire.GroupPayload(strict: Examples.payload.signedBytes, limits: tight)
        }
        let fitting = Limits.standard.tightened(samples: 2, promptTokens: 3, completionTokens: 10)
        #expect(throws: Never.self) { try Wire.GroupPayload(strict: Examples.payload.signedBytes, limits: fitting) }
    }

    /// Two bytes on the wire, dozens in memory, millions of times.
    @Test func emptyRepeatedMessagesDoNotMultiply() {
        // Leases (server field 12) with a million empty leases (field 1).
        var leases: [UInt8] = []
        for _ in 0..<1_000_000 { leases += [0x0a, 0x00] }
        let length = [UInt8(0x80), 0x89, 0x7a]  // 2,000,000
        let bytes = [0x08, 0x01, 0x62] + length + leases
        let error = #expect(throws: MessageError.self) { try ServerEnvelope(frames: [bytes]) }
        #expect(
            error?.location == "server message.leases.leases.group_id" || error?.code == .tooMany,
            "\(String(describing: error))")
        // The same with audits that are valid in themselves.
        let audit = ServerEnvelope(id: 1, Examples.serverBodies[5]).header.auditAssignment.audits[0]
        let many = Wire.AuditAssignment.with { $0.audits = .init(repeating: audit, count: 1025) }
        let tooMany = #expect(throws: MessageError.self) {
            try ServerEnvelope(frames: ServerEnvelope(id: 1, .auditAssignment(many)).frames)
        }
        #expect(tooMany?.code == .tooMany)
    }

    @Test func unpackedNumbersAreRefused() {
        // lease_progress (field 12) with lease_ids (field 1) written one by one.
        let error = #expect(throws: MessageError.self) {
            try ClientEnvelope(frames: [[0x08, 0x01, 0x62, 0x02, 0x08, 0x05]])
        }
        #expect(error?.code == .malformed)
    }

    private func refuse(
        _ code: MessageError.Code, _ location: String, _ change: (inout Wire.Hello) -> Void,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        var hello = Examples.hello
        change(&hello)
        let error = #expect(throws: MessageError.self, sourceLocation: sourceLocation) {
            try ClientEnvelope(frames: ClientEnvelope(id: 1, .hello(hello)).frames)
        }
        #expect(error?.code == code, sourceLocation: sourceLocation)
        #expect(error?.location == location, sourceLocation: sourceLocation)
    }

    private func refuse(
        _ code: MessageError.Code, _ location: String, _ change: (inout Wire.GroupPayload) -> Void,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        var payload = Examples.payload
        change(&payload)
        let error = #expect(throws: MessageError.self, sourceLocation: sourceLocation) {
            try Wire.GroupPayload(strict: payload.signedBytes)
        }
        #expect(error?.code == code, sourceLocation: sourceLocation)
        #expect(error?.location == location, sourceLocation: sourceLocation)
    }
}
