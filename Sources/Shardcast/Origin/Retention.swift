import Identity

extension OriginDirectory {
    /// Removes old versions: their manifests stop being served, and shards that no kept version names are deleted.
    ///
    /// What a version that stays is made from stays too: an adapter's base, a difference's chain back to its anchor.
    ///
    /// A reader that has a shard open keeps it until it is done. The numbers of removed versions stay taken.
    ///
    /// - Parameter count: How many of the newest versions stay; at least one always does.
    /// - Parameter retained: Further versions that stay, for example those still leased or under dispute.
    /// - Returns: The versions that were removed.
    /// - Throws: ``ShardcastError`` if the file system refuses; pruning again continues.
    @discardableResult
    public func prune(keeping count: Int, retaining retained: Set<UInt64> = []) throws(ShardcastError) -> [UInt64] {
        try state.withLock { (state) throws(ShardcastError) in
            let manifests = state.live.mapValues(\.manifest)
            let doomed = Manifest.superfluous(manifests, keeping: count, retaining: retained, needs: \.neededBase)
            // A difference before what it is made from, so that a crash in between leaves none without its base.
            for version in doomed.reversed() {
                // First out of sight, then out of existence: a client never sees a manifest without its shards.
                try Directories.rename(layout.manifest(version), to: layout.retiredManifest(version))
                state.live[version] = nil
                try observe(.manifestRetired)
            }
            if !doomed.isEmpty {
                try Directories.synchronize(layout.retired)
                try Directories.synchronize(layout.manifests)
            }
            try collectShards(state)
            return doomed
        }
    }

    /// Deletes the shards that no live version names.
    func collectShards(_ state: borrowing State) throws(ShardcastError) {
        var used = Set<String>()
        for signed in state.live.values {
            for shard in signed.manifest.shards { used.insert(shard.sha256.hex) }
        }
        for name in try Directories.names(layout.shards) where !used.contains(name) {
            try Directories.removeFile("\(layout.shards)/\(name)")
            try observe(.shardRemoved)
        }
    }
}

extension Manifest {
    /// The versions that may go, in ascending order: neither among the newest, nor retained, nor needed by one that stays.
    static func superfluous(
        _ manifests: [UInt64: Manifest], keeping count: Int, retaining retained: Set<UInt64>,
        needs base: (Manifest) -> UInt64?
    ) -> [UInt64] {
        let sorted = manifests.keys.sorted()
        var kept = retained.union(sorted.suffix(max(count, 1)))
        // From the newest down, because a base is older than what needs it.
        for version in sorted.reversed() where kept.contains(version) {
            if let needed = manifests[version].flatMap(base) { kept.insert(needed) }
        }
        return sorted.filter { !kept.contains($0) }
    }
}
