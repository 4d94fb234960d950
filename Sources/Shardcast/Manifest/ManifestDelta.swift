import Identity

extension Manifest {
    /// The difference that makes a version's weights from those of its base: one stream in shards.
    public struct Delta: Sendable, Equatable, Codable {
        /// Length of the stream in bytes.
        public let bytes: UInt64
        /// SHA-256 of the whole stream.
        public let sha256: Hash256
        /// The shards in order.
        public let shards: [Shard]

        /// Creates an entry; nothing is checked here (see ``Manifest/validate()``).
        public init(bytes: UInt64, sha256: Hash256, shards: [Shard]) {
            self.bytes = bytes
            self.sha256 = sha256
            self.shards = shards
        }

        enum CodingKeys: String, CodingKey, CaseIterable { case bytes, sha256, shards }

        /// Decodes strictly: an unknown key is an error.
        public init(from decoder: any Decoder) throws {
            try StrictKeys.check(decoder, CodingKeys.self)
            let values = try decoder.container(keyedBy: CodingKeys.self)
            self.init(
                bytes: try values.decode(UInt64.self, forKey: .bytes),
                sha256: try values.decode(Hash256.self, forKey: .sha256),
                shards: try values.decode([Manifest.Shard].self, forKey: .shards))
        }
    }

    /// The stream as a file under the name that it is kept under while it is fetched.
    var deltaFile: File? {
        delta.map { File(name: DeltaFormat.name(version), bytes: $0.bytes, sha256: $0.sha256, shards: $0.shards) }
    }

    /// The files that hold weights, which a difference makes.
    var weightFiles: [File] { files.filter { FileName.isWeights($0.name) } }

    /// The files that travel whole in any case.
    var companionFiles: [File] { files.filter { !FileName.isWeights($0.name) } }
}
