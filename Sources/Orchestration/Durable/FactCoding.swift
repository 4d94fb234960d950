#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A journaled fact or snapshot that cannot be read.
public struct FactCodingError: Error, Sendable, CustomStringConvertible {
    /// What is wrong and what to do.
    public let description: String
}

extension Fact {
    /// The version of the journal's format, written into every fact.
    public static let formatVersion = 1

    private struct Envelope: Codable {
        let v: Int
        let fact: Fact
    }

    /// The journal's bytes of this fact: one JSON object with sorted keys, the same for the same fact.
    public func encoded() throws -> [UInt8] {
        try encodeJSON(Envelope(v: Self.formatVersion, fact: self))
    }

    /// Reads what `encoded` wrote.
    ///
    /// - Throws: `FactCodingError` if the bytes are no fact or of another format version.
    public init(decoding bytes: some Sequence<UInt8>) throws {
        self = try decodeJSON(Envelope.self, bytes, "journaled fact", version: Self.formatVersion).fact
    }
}

extension DurableState {
    /// The version of the snapshot's format.
    public static let formatVersion = 3

    private struct Envelope: Codable {
        let v: Int
        let state: DurableState
    }

    /// The bytes of a snapshot: one JSON object.
    ///
    /// A snapshot that cannot be read is no loss, since the journal is whole.
    public func encoded() throws -> [UInt8] {
        try encodeJSON(Envelope(v: Self.formatVersion, state: self))
    }

    /// Reads what `encoded` wrote.
    ///
    /// - Throws: `FactCodingError` if the bytes are no snapshot or of another format version.
    public init(decoding bytes: some Sequence<UInt8>) throws {
        self = try decodeJSON(Envelope.self, bytes, "snapshot", version: Self.formatVersion).state
    }
}

private struct VersionTag: Decodable {
    let v: Int
}

private func encodeJSON(_ value: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try [UInt8](encoder.encode(value))
}

/// Reads an object with a version tag; the tag first, so that an unknown format is called that.
private func decodeJSON<Value: Decodable>(
    _ type: Value.Type, _ bytes: some Sequence<UInt8>, _ what: String, version: Int
) throws -> Value {
    let data = Data(bytes)
    let decoder = JSONDecoder()
    let tag: VersionTag
    do {
        tag = try decoder.decode(VersionTag.self, from: data)
    } catch {
        throw FactCodingError(description: "A \(what) is damaged: it is no JSON object with a version.")
    }
    guard tag.v == version else {
        throw FactCodingError(
            description: "A \(what) has format version \(tag.v), this program reads \(version). "
                + "Use the program that wrote it, or a newer one.")
    }
    do {
        return try decoder.decode(type, from: data)
    } catch {
        throw FactCodingError(description: "A \(what) of version \(tag.v) is damaged: \(error).")
    }
}
