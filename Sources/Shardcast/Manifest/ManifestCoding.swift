import Identity

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Manifest: Codable {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case schema, run, version, step, files, tensors, kind, base, anchor, delta
        case weightsHash = "weights_hash"
        case createdMilliseconds = "created_ms"
        case expiresMilliseconds = "expires_ms"
        case totalBytes = "total_bytes"
        case baseWeightsHash = "base_weights_hash"
    }

    /// Decodes strictly: an unknown key is an error.
    ///
    /// Rules beyond the types are checked by ``validate()``.
    public init(from decoder: any Decoder) throws {
        try StrictKeys.check(decoder, CodingKeys.self)
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let kind = try values.decodeIfPresent(String.self, forKey: .kind)
        guard let known = VersionKind(rawValue: kind ?? VersionKind.full.rawValue) else {
            throw ShardcastError(
                .unsupportedSchema,
                "The manifest describes a version of a kind that this program does not read: upgrade this program.")
        }
        self.init(
            schema: try values.decode(UInt32.self, forKey: .schema),
            run: try values.decode(Hash256.self, forKey: .run),
            version: try values.decode(UInt64.self, forKey: .version),
            step: try values.decode(UInt64.self, forKey: .step),
            weightsHash: try values.decode(Hash256.self, forKey: .weightsHash),
            createdMilliseconds: try values.decode(Int64.self, forKey: .createdMilliseconds),
            expiresMilliseconds: try values.decodeIfPresent(Int64.self, forKey: .expiresMilliseconds),
            files: try values.decode([File].self, forKey: .files),
            totalBytes: try values.decode(UInt64.self, forKey: .totalBytes),
            tensors: try values.decodeIfPresent([Tensor].self, forKey: .tensors) ?? [],
            kind: known,
            base: try values.decodeIfPresent(UInt64.self, forKey: .base),
            baseWeightsHash: try values.decodeIfPresent(Hash256.self, forKey: .baseWeightsHash),
            anchor: try values.decodeIfPresent(UInt64.self, forKey: .anchor),
            delta: try values.decodeIfPresent(Delta.self, forKey: .delta))
    }

    /// Encodes with the keys of the format; absent options, an empty tensor list and the kind `full` are left out.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(schema, forKey: .schema)
        try values.encode(run, forKey: .run)
        try values.encode(version, forKey: .version)
        try values.encode(step, forKey: .step)
        try values.encode(weightsHash, forKey: .weightsHash)
        try values.encode(createdMilliseconds, forKey: .createdMilliseconds)
        try values.encodeIfPresent(expiresMilliseconds, forKey: .expiresMilliseconds)
        try values.encode(files, forKey: .files)
        try values.encode(totalBytes, forKey: .totalBytes)
        if !tensors.isEmpty { try values.encode(tensors, forKey: .tensors) }
        if kind != .full { try values.encode(kind.rawValue, forKey: .kind) }
        try values.encodeIfPresent(base, forKey: .base)
        try values.encodeIfPresent(baseWeightsHash, forKey: .baseWeightsHash)
        try values.encodeIfPresent(anchor, forKey: .anchor)
        try values.encodeIfPresent(delta, forKey: .delta)
    }
}

/// Refuses keys that the format does not have, which Codable would skip in silence.
enum StrictKeys {
    struct AnyKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    static func check<Key: CodingKey & CaseIterable>(_ decoder: any Decoder, _ type: Key.Type) throws {
        let known = Set(Key.allCases.map(\.stringValue))
        for key in try decoder.container(keyedBy: AnyKey.self).allKeys where !known.contains(key.stringValue) {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath + [key], debugDescription: "a key that this schema does not have"))
        }
    }
}

extension Manifest {
    /// The schema alone, read before anything else, so that a newer format is named instead of called malformed.
    private struct SchemaProbe: Decodable { let schema: UInt32 }

    /// The JSON text that is signed.
    func encoded() throws(ShardcastError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(self))
        } catch {
            throw ShardcastError(
                .malformedManifest, "The manifest of version \(version) cannot be written as JSON: \(error)")
        }
    }

    /// Reads and checks the JSON text of a manifest whose signature already holds.
    static func decoded(_ json: [UInt8]) throws(ShardcastError) -> Manifest {
        let data = Data(json)
        let manifest: Manifest
        do {
            try checkSchema(try JSONDecoder().decode(SchemaProbe.self, from: data).schema)
            manifest = try JSONDecoder().decode(Manifest.self, from: data)
        } catch let error as ShardcastError {
            throw error
        } catch {
            throw ShardcastError(
                .malformedManifest, "The manifest is not what schema \(currentSchema) says: \(explain(error))")
        }
        try manifest.validate()
        return manifest
    }

    private static func explain(_ error: any Error) -> String {
        func place(_ path: [any CodingKey]) -> String {
            path.isEmpty
                ? "the top" : path.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
        }
        return switch error as? DecodingError {
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            "\(context.debugDescription) (at \(place(context.codingPath)))"
        case .keyNotFound(let key, let context): "\(key.stringValue) is missing (at \(place(context.codingPath)))"
        default: "\(error)"
        }
    }
}
