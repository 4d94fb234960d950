public import SwiftProtobuf

/// One message of the wire: its header and the raw frames that the header announces.
public struct Envelope<Header: MessageHeader>: Sendable {
    /// Frame 0, decoded.
    public var header: Header
    /// The frames behind it, as they arrived.
    public var attachments: [[UInt8]]

    /// Makes a message to send.
    public init(_ header: Header, attachments: [[UInt8]] = []) {
        self.header = header
        self.attachments = attachments
    }

    /// Decodes a message that came from outside.
    ///
    /// Frames, sizes, counts and field numbers are checked before anything is decoded.
    ///
    /// - Throws: ``MessageError``, which says which side has to change.
    public init(frames: [[UInt8]], limits: Limits = .standard) throws(MessageError) {
        guard let first = frames.first else { throw MessageError(.frameCount, at: "message", "it has no frame") }
        guard frames.count <= limits.frames else {
            throw MessageError(
                .frameCount, at: "message", "it has \(frames.count) frames, at most \(limits.frames) are allowed")
        }
        var total = 0
        for (index, frame) in frames.enumerated() {
            total += frame.count
            guard frame.count <= limits.frameBytes, total <= limits.messageBytes else {
                throw MessageError(.tooLarge, at: "frame \(index)", "\(frame.count) bytes exceed the limits")
            }
        }
        header = try Header(strict: first, limits: limits)
        attachments = Array(frames.dropFirst())
        guard attachments.count == header.announcedFrames else {
            throw MessageError(
                .frameCount, at: "message",
                "\(attachments.count) frames follow the header, which announces \(header.announcedFrames)")
        }
    }

    /// The frames to send.
    public var frames: [[UInt8]] { [encoded(header)] + attachments }
}

/// Frame 0 of a message in either direction.
public protocol MessageHeader: Message, Sendable {
    /// The schema that the sender speaks.
    var schemaVersion: UInt32 { get set }
    /// The sender's number for this message; a redelivery repeats it.
    var messageID: UInt64 { get set }
    /// How many raw frames the body announces.
    var announcedFrames: Int { get }
    /// Decodes bytes from outside.
    init(strict bytes: [UInt8], limits: Limits) throws(MessageError)
}

/// What clients send.
public typealias ClientEnvelope = Envelope<Wire.ClientMessage>
/// What the orchestrator sends.
public typealias ServerEnvelope = Envelope<Wire.ServerMessage>

extension Envelope where Header == Wire.ClientMessage {
    /// Makes a client's message under the current schema version.
    public init(id: UInt64, _ body: Wire.ClientBody, attachments: [[UInt8]] = []) {
        var header = Wire.ClientMessage()
        header.schemaVersion = SchemaVersion.current
        header.messageID = id
        header.body = body
        self.init(header, attachments: attachments)
    }
}

extension Envelope where Header == Wire.ServerMessage {
    /// Makes the orchestrator's message under the current schema version.
    public init(id: UInt64, answers: UInt64 = 0, _ body: Wire.ServerBody, attachments: [[UInt8]] = []) {
        var header = Wire.ServerMessage()
        header.schemaVersion = SchemaVersion.current
        header.messageID = id
        header.answers = answers
        header.body = body
        self.init(header, attachments: attachments)
    }
}
