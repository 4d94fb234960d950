import Identity

extension Manifest {
    /// A file of the version, in shards that follow each other without gaps.
    public struct File: Sendable, Equatable, Codable {
        /// A plain name from the allow-list of ``FileName``.
        public let name: String
        /// Length of the file in bytes.
        public let bytes: UInt64
        /// SHA-256 of the whole file.
        public let sha256: Hash256
        /// The shards in file order.
        public let shards: [Shard]

        /// Creates a file entry; nothing is checked here (see ``Manifest/validate()``).
        public init(name: String, bytes: UInt64, sha256: Hash256, shards: [Shard]) {
            self.name = name
            self.bytes = bytes
            self.sha256 = sha256
            self.shards = shards
        }

        enum CodingKeys: String, CodingKey, CaseIterable { case name, bytes, sha256, shards }

        /// Decodes strictly: an unknown key is an error.
        public init(from decoder: any Decoder) throws {
            try StrictKeys.check(decoder, CodingKeys.self)
            let values = try decoder.container(keyedBy: CodingKeys.self)
            self.init(
                name: try values.decode(String.self, forKey: .name),
                bytes: try values.decode(UInt64.self, forKey: .bytes),
                sha256: try values.decode(Hash256.self, forKey: .sha256),
                shards: try values.decode([Manifest.Shard].self, forKey: .shards))
        }
    }

    /// A run of bytes that travels, is checked and is cached as one immutable object.
    public struct Shard: Sendable, Hashable, Codable {
        /// SHA-256 of the shard, which is also its name.
        public let sha256: Hash256
        /// Length in bytes.
        public let bytes: UInt64

        /// Creates a shard entry.
        public init(sha256: Hash256, bytes: UInt64) {
            self.sha256 = sha256
            self.bytes = bytes
        }

        enum CodingKeys: String, CodingKey, CaseIterable { case sha256, bytes }

        /// Decodes strictly: an unknown key is an error.
        public init(from decoder: any Decoder) throws {
            try StrictKeys.check(decoder, CodingKeys.self)
            let values = try decoder.container(keyedBy: CodingKeys.self)
            self.init(
                sha256: try values.decode(Hash256.self, forKey: .sha256),
                bytes: try values.decode(UInt64.self, forKey: .bytes))
        }
    }

    /// A tensor inside one of the files; optional information for tools and for deltas.
    public struct Tensor: Sendable, Equatable, Codable {
        /// Name in the safetensors header.
        public let name: String
        /// Element type as safetensors writes it, for example `BF16`.
        public let dtype: String
        /// Dimensions, outermost first.
        public let shape: [UInt64]
        /// The file that holds the tensor.
        public let file: String
        /// Where its bytes begin in the file.
        public let offset: UInt64
        /// How many bytes it has.
        public let bytes: UInt64
        /// SHA-256 of those bytes.
        public let sha256: Hash256

        /// Creates a tensor entry.
        public init(
            name: String, dtype: String, shape: [UInt64], file: String, offset: UInt64, bytes: UInt64, sha256: Hash256
        ) {
            self.name = name
            self.dtype = dtype
            self.shape = shape
            self.file = file
            self.offset = offset
            self.bytes = bytes
            self.sha256 = sha256
        }

        enum CodingKeys: String, CodingKey, CaseIterable { case name, dtype, shape, file, offset, bytes, sha256 }

        /// Decodes strictly: an unknown key is an error.
        public init(from decoder: any Decoder) throws {
            try StrictKeys.check(decoder, CodingKeys.self)
            let values = try decoder.container(keyedBy: CodingKeys.self)
            self.init(
                name: try values.decode(String.self, forKey: .name),
                dtype: try values.decode(String.self, forKey: .dtype),
                shape: try values.decode([UInt64].self, forKey: .shape),
                file: try values.decode(String.self, forKey: .file),
                offset: try values.decode(UInt64.self, forKey: .offset),
                bytes: try values.decode(UInt64.self, forKey: .bytes),
                sha256: try values.decode(Hash256.self, forKey: .sha256))
        }
    }
}
