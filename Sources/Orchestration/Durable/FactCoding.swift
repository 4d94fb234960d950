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
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try [UInt8](encoder.encode(Envelope(v: Self.formatVersion, fact: self)))
    }

    /// Reads what `encoded` wrote.
    ///
    /// - Throws: `FactCodingError` if the bytes are no fact or of another format version.
    public init(decoding bytes: some Sequence<UInt8>) throws {
        let data = Data(bytes)
        let decoder = JSONDecoder()
        do {
            let envelope = try decoder.decode(Envelope.self, from: data)
            try Self.check(envelope.v)
            self = envelope.fact
        } catch let error as FactCodingError {
            throw error
        } catch {
            // An unknown format is called that, not damaged.
            guard let tag = try? decoder.decode(VersionTag.self, from: data) else {
                throw FactCodingError(
                    description: "A journaled fact is damaged: it is no JSON object with a version.")
            }
            try Self.check(tag.v)
            throw FactCodingError(description: "A journaled fact of version \(tag.v) is damaged: \(error).")
        }
    }

    private static func check(_ version: Int) throws {
        guard version == formatVersion else {
            throw FactCodingError(
                description: "A journaled fact has format version \(version), this program reads \(formatVersion). "
                    + "Use the program that wrote it, or a newer one.")
        }
    }
}

private struct VersionTag: Decodable {
    let v: Int
}
