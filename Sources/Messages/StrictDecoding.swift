import SwiftProtobuf

extension Apus_V1_ClientMessage: MessageHeader {
    /// One frame behind a group submission, none behind anything else.
    public var announcedFrames: Int {
        if case .groupSubmission = body { 1 } else { 0 }
    }

    /// Decodes bytes from outside.
    public init(strict bytes: [UInt8], limits: Limits) throws(MessageError) {
        self = try strictlyDecoded(bytes, .clientMessage, limits)
    }
}

extension Apus_V1_ServerMessage: MessageHeader {
    /// No body of this direction announces raw frames.
    public var announcedFrames: Int { 0 }

    /// Decodes bytes from outside.
    public init(strict bytes: [UInt8], limits: Limits) throws(MessageError) {
        self = try strictlyDecoded(bytes, .serverMessage, limits)
    }
}

extension Apus_V1_GroupPayload {
    /// Decodes a signed group from outside; check the signature over the same bytes.
    ///
    /// - Throws: ``MessageError`` before anything larger than the limits is allocated.
    public init(strict bytes: [UInt8], limits: Limits = .standard) throws(MessageError) {
        self = try strictlyDecoded(bytes, .groupPayload, limits)
    }

    /// The bytes to sign and send.
    public var signedBytes: [UInt8] { encoded(self) }
}

extension Apus_V1_AuditReport {
    /// Decodes a stored report from outside; the schema that it was written in is the caller's to know.
    ///
    /// - Throws: ``MessageError`` before anything larger than the limits is allocated.
    public init(strict bytes: [UInt8], limits: Limits = .standard) throws(MessageError) {
        self = try strictlyDecoded(bytes, .auditReport, limits, namesSchema: false)
    }
}

private func strictlyDecoded<Body: Message>(
    _ bytes: [UInt8], _ shape: Shape, _ limits: Limits, namesSchema: Bool = true
) throws(MessageError) -> Body {
    guard bytes.count <= limits.frameBytes else {
        throw MessageError(
            .tooLarge, at: shape.name, "\(bytes.count) bytes are more than the allowed \(limits.frameBytes)")
    }
    if namesSchema { try checkSchemaVersion(bytes, shape.name) }
    // Typed errors do not pass through `withUnsafeBytes`, so the verdict comes out as a value.
    let fault: MessageError? = bytes.withUnsafeBytes { raw in
        do throws(MessageError) {
            try ShapeCheck.check(raw, shape, limits)
            return nil
        } catch {
            return error
        }
    }
    if let fault { throw fault }
    do {
        return try Body(serializedBytes: bytes)
    } catch {
        throw MessageError(.malformed, at: shape.name, "it cannot be decoded (\(error))")
    }
}

/// Compares the schema of the sender with ours before reading anything that another schema may have changed.
private func checkSchemaVersion(_ bytes: [UInt8], _ name: String) throws(MessageError) {
    // The version is field 1, and every protobuf library writes fields in order.
    guard bytes.first == 0x08 else {
        throw MessageError(.missing, at: "\(name).schema_version", "it must be there, before all other fields")
    }
    var version: UInt64 = 0
    for (index, byte) in bytes.dropFirst().prefix(5).enumerated() {
        version |= UInt64(byte & 0x7f) << (7 * UInt64(index))
        if byte & 0x80 == 0 { break }
    }
    let ours = UInt64(SchemaVersion.current)
    guard version == ours else {
        throw MessageError(
            version > ours ? .schemaTooNew : .schemaTooOld, at: "\(name).schema_version",
            "the sender speaks schema \(version), this side schema \(ours)")
    }
}
