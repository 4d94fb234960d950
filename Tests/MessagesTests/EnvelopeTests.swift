import Messages
import SwiftProtobuf
import Testing

@Suite struct EnvelopeTests {
    @Test func everyClientMessageReadsBack() throws {
        for (index, body) in Examples.clientBodies.enumerated() {
            let isSubmission = if case .groupSubmission = body { true } else { false }
            let attachments: [[UInt8]] = isSubmission ? [[1, 2, 3]] : []
            let message = ClientEnvelope(id: UInt64(index) + 1, body, attachments: attachments)
            let read = try ClientEnvelope(frames: message.frames)
            // Compared as bytes: a NaN is not equal to itself.
            #expect(read.frames == message.frames)
            #expect(read.header.messageID == UInt64(index) + 1)
            #expect(read.attachments == attachments)
        }
    }

    @Test func everyServerMessageReadsBack() throws {
        for body in Examples.serverBodies {
            let message = ServerEnvelope(id: 1, answers: 77, body)
            let read = try ServerEnvelope(frames: message.frames)
            #expect(read.header == message.header)
            #expect(read.header.answers == 77)
        }
    }

    @Test func theGroupReadsBack() throws {
        let bytes = Examples.payload.signedBytes
        #expect(try Wire.GroupPayload(strict: bytes) == Examples.payload)
        #expect(Examples.payload.signedBytes == bytes)
    }

    @Test func anotherSchemaSaysWhoMustUpgrade() throws {
        var header = ClientEnvelope(id: 1, .goodbye(.init())).header
        header.schemaVersion = 2
        // A newer schema may have anything in it; the version is what is reported.
        let future = try header.serializedBytes() as [UInt8] + [0xfa, 0x3f, 0x01, 0x00]
        let newer = #expect(throws: MessageError.self) { try ClientEnvelope(frames: [future]) }
        #expect(newer?.code == .schemaTooNew)
        #expect(newer?.advice.contains("upgrade this side") == true)
        header.schemaVersion = 1 << 31
        #expect(code(try header.serializedBytes()) == .schemaTooNew)
        header.schemaVersion = 0
        #expect(code(try header.serializedBytes()) == .missing)
        #expect(code([0x08, 0x00]) == .schemaTooOld)
        #expect(code([0x08]) == .schemaTooOld)
        #expect(code([]) == .missing)
    }

    @Test func framesMustBeThoseAnnounced() {
        let goodbye = ClientEnvelope(id: 1, .goodbye(.init())).frames
        let submission = ClientEnvelope(id: 1, Examples.clientBodies[4]).frames
        for frames in [[], goodbye + [[]], submission, submission + [[1], [2]], goodbye + goodbye + goodbye + goodbye] {
            let error = #expect(throws: MessageError.self) { try ClientEnvelope(frames: frames) }
            #expect(error?.code == .frameCount)
        }
    }

    @Test func sizesAreCheckedFirst() {
        var limits = Limits.standard
        limits.frameBytes = 100
        limits.messageBytes = 150
        let submission = ClientEnvelope(id: 1, Examples.clientBodies[4]).frames[0]
        for attachment in [101, 90] {
            let frames = [submission, [UInt8](repeating: 0, count: attachment)]
            let error = #expect(throws: MessageError.self) { try ClientEnvelope(frames: frames, limits: limits) }
            #expect(error?.code == .tooLarge)
        }
        #expect(throws: MessageError.self) {
            try Wire.GroupPayload(strict: Examples.payload.signedBytes, limits: limits)
        }
    }

    @Test func theBodyIsOneAndThere() throws {
        #expect(code([0x08, 0x01]) == .missing)
        // Two bodies: goodbye (field 23) and heartbeat (field 22), both empty.
        #expect(code([0x08, 0x01, 0xb2, 0x01, 0x00, 0xba, 0x01, 0x00]) == .tooMany)
        #expect(code([0x08, 0x01, 0xba, 0x01, 0x00, 0xba, 0x01, 0x00]) == .tooMany)
        #expect(code([0x08, 0x01, 0xba, 0x01, 0x00]) == nil)
    }

    @Test func unknownFieldsAreRefused() {
        // Field 24 of the header, and field 9 of a goodbye.
        #expect(code([0x08, 0x01, 0xc2, 0x01, 0x00]) == .unknownField)
        #expect(code([0x08, 0x01, 0xba, 0x01, 0x02, 0x48, 0x01]) == .unknownField)
    }

    @Test(
        arguments: [
            [0x08, 0x01, 0x10],  // ends before a value
            [0x08, 0x01, 0x10, 0x80, 0x00],  // an integer padded with zeros
            [0x08, 0x01, 0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02],  // 65 bits
            [0x08, 0x01, 0x11, 0, 0, 0, 0, 0, 0, 0, 0],  // a double where an integer belongs
            [0x08, 0x01, 0x13],  // a group of proto2
            [0x08, 0x01, 0x00, 0x00],  // field 0
            [0x08, 0x01, 0xba, 0x01, 0x05, 0x00],  // a length beyond the end
            [0x08, 0x01, 0xba, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],  // the largest length
            [0x08, 0x01, 0xba, 0x01, 0x04, 0x0a, 0x02, 0xc3, 0x28],  // no UTF-8
        ] as [[UInt8]])
    func brokenBytesAreMalformed(bytes: [UInt8]) {
        #expect(code(bytes) == .malformed)
    }

    private func code(_ bytes: [UInt8]) -> MessageError.Code? {
        do {
            _ = try ClientEnvelope(frames: [bytes])
            return nil
        } catch {
            return error.code
        }
    }
}

@Suite struct RefusalTests {
    /// A refusal made from any fault can itself be sent.
    @Test(arguments: MessageError.Code.allCases)
    func everyFaultCanBeTold(code: MessageError.Code) throws {
        let error = MessageError(code, at: "client message.hello.name", "it holds control characters")
        let envelope = ServerEnvelope(id: 1, answers: 2, .refusal(.init(error)))
        let refusal = try ServerEnvelope(frames: envelope.frames).header.refusal
        #expect(refusal.code == code.rawValue)
        #expect(refusal.reason.contains("hello.name"))
        #expect(refusal.final == (code == .schemaTooNew || code == .schemaTooOld))
    }
}
