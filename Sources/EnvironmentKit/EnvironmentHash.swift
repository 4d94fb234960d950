import Identity
import JSON

/// The version of the meaning of tasks and scores; it enters every environment's hash.
public let environmentSchemaVersion: UInt32 = 1

extension Environment {
    /// Names this environment with these options: SHA-256 over the length-prefixed id, the canonical JSON of the
    /// options in force, and the schema version.
    ///
    /// It travels in leases and signed groups, so that a group of another environment can never be scored by this one.
    public var hash: Hash256 {
        var hash = SHA256()
        for text in ["apus/environment/v1", Self.id, JSONValue.object(JSONObject(options)).canonicalText] {
            hash.update(littleEndian: UInt64(text.utf8.count))
            hash.update(utf8: text)
        }
        hash.update(littleEndian: environmentSchemaVersion)
        return hash.finalize()
    }
}
