#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A journaled fact that cannot be read.
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

    private struct Tag: Codable {
        let v: Int
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
        guard let tag = try? decoder.decode(Tag.self, from: data) else {
            throw FactCodingError(description: "A journaled fact is damaged: it is no JSON object with a version.")
        }
        guard tag.v == Self.formatVersion else {
            throw FactCodingError(
                description: "The journal has format version \(tag.v), this program reads \(Self.formatVersion). "
                    + "Use the program that wrote it, or a newer one.")
        }
        do {
            self = try decoder.decode(Envelope.self, from: data).fact
        } catch {
            throw FactCodingError(description: "A journaled fact of version \(tag.v) is damaged: \(error).")
        }
    }
}
