/// Everything secret that a node has: who it is and what its connections are encrypted with.
public struct NodeKeys: Sendable {
    /// Signs what the node says.
    public let signing: SigningKey
    /// Encrypts the node's connections.
    public let curve: CurveKey

    /// Makes new random keys.
    public init() {
        self.init(signing: SigningKey(), curve: CurveKey())
    }

    /// Joins two keys.
    public init(signing: SigningKey, curve: CurveKey) {
        self.signing = signing
        self.curve = curve
    }

    /// The public half, as one line for people and configuration files.
    public var publicLine: NodePublicKeys {
        guard let keys = NodePublicKeys(identity: signing.publicKey, curve: curve.publicKey) else {
            preconditionFailure("A curve key always has 32 bytes.")
        }
        return keys
    }

    /// Reads a key file.
    ///
    /// - Throws: ``IdentityError`` when it is missing, damaged, or readable by other users.
    public static func load(path: String) throws -> NodeKeys {
        try NodeKeyText.decode(try SecretFile.read(path), location: path)
    }

    /// Writes a key file with mode 0600, whole or not at all.
    ///
    /// - Throws: ``IdentityError`` when a file is there already (it is never overwritten) or cannot be written.
    public func save(path: String) throws {
        try SecretFile.create(path, NodeKeyText.encode(self))
    }

    /// Reads the key file, or makes new keys and the missing folders when there is none.
    public static func loadOrCreate(path: String) throws -> NodeKeys {
        do {
            return try load(path: path)
        } catch let error as IdentityError where error.isMissing {
            let keys = NodeKeys()
            do {
                try SecretFile.makeFolders(of: path)
                try keys.save(path: path)
                return keys
            } catch let error as IdentityError where error.isAlreadyThere {
                // Another process of this node was faster; its keys are the node's.
                return try load(path: path)
            }
        }
    }
}
