import Identity

/// For those who compute with the version before, and change it in memory.
extension WeightClient {
    /// Brings the difference that makes a version from the one before it, and not the version's files.
    ///
    /// Interrupted, it goes on where it was; calls for the same version share one fetch.
    ///
    /// - Parameter weightsHash: What the version's weights must be; another version of that number is refused.
    /// - Returns: Nil where the version is only to be had whole.
    /// - Throws: ``ShardcastError``.
    public func difference(
        to version: UInt64, weightsHash: Hash256? = nil, timeout: Duration = .seconds(900)
    ) async throws(ShardcastError) -> WeightDifference? {
        let found: WeightDifference? = try await shared(version) { [self] in
            try await differences.run(version) { [self] in
                let deadline = ContinuousClock.now + timeout
                let signed = try await manifest(version, within: timeout)
                return try await versionFetch(until: deadline).difference(signed)
            }
        }
        if let weightsHash, let found, found.manifest.weightsHash != weightsHash {
            throw Self.conflict(version, has: found.manifest.weightsHash, wanted: weightsHash)
        }
        return found
    }

    /// Makes a version's files out of those of an installed one and the differences after it.
    ///
    /// Nothing is received but companions of the weights that have changed.
    ///
    /// - Parameter chain: One for each version after the installed one, in order.
    /// - Throws: ``ShardcastError``: `versionMissing` where the version that the chain starts from is not here, intact.
    public func install(
        _ chain: [WeightDifference], timeout: Duration = .seconds(900)
    ) async throws(ShardcastError) -> FetchedVersion {
        guard let first = chain.first, let last = chain.last else {
            throw ShardcastError(.versionMissing, "A chain of no differences makes no version.")
        }
        let version = last.manifest.version
        return try await shared(version) { [self] in
            try await flights.run(version) { [self] in
                let fetch = versionFetch(until: .now + timeout)
                if let present = try await fetch.present(version, since: .now) { return present }
                let start = try await onDiskThread { [self] in try store.intactVersion(first.base.version) }
                guard let start, start.manifest.weightsHash == first.base.weightsHash else {
                    throw ShardcastError(
                        .versionMissing,
                        "Version \(first.base.version), which version \(version) would be made from, is not in "
                            + "\(store.root).")
                }
                do {
                    return try await fetch.made(from: start, chain)
                } catch let error as ShardcastError where error.kind == .corruptDelta {
                    // Whoever builds upon these files next hashes them first.
                    store.distrust(first.base.version)
                    throw error
                }
            }
        }
    }

    func versionFetch(until deadline: ContinuousClock.Instant) -> VersionFetch {
        VersionFetch(
            store: store, upstreams: upstreams, concurrency: max(configuration.concurrentShards, 1), deadline: deadline)
    }

    /// Gives what others share an error of this room.
    func shared<Value: Sendable>(
        _ version: UInt64, _ body: () async throws -> Value
    ) async throws(ShardcastError) -> Value {
        do {
            return try await body()
        } catch let error as ShardcastError {
            throw error
        } catch {
            throw ShardcastError(.shutDown, "Fetching version \(version) was cancelled.")
        }
    }
}

extension VersionFetch {
    /// Brings the stream of a version that offers one.
    func difference(_ signed: SignedManifest) async throws -> WeightDifference? {
        guard let file = signed.manifest.deltaFile else { return nil }
        let version = signed.manifest.version
        store.begin(version)
        defer { store.end(version) }
        let path = store.differencePath(version)
        let meter = try await bring([file], of: version, to: path, nil)
        guard let open = try OpenFile.reading("\(path)/\(file.name)") else {
            throw ShardcastError(
                .storage, "\(path) was removed while it was needed: let nobody else use the directory.")
        }
        return WeightDifference(
            signed, in: open, bytesTransferred: meter.received + UInt64(signed.bytes.count),
            duration: .now - meter.begin)
    }

    /// Makes a version from one that is installed, with differences that are here.
    func made(from start: SignedManifest, _ chain: [WeightDifference]) async throws -> FetchedVersion {
        guard let target = chain.last?.signed else { return try await whole(start, nil) }
        let base = store.path(start.manifest.version)
        var made = try await fetch(target, target.manifest.companionFiles, nil) { partial in
            let streams = try chain.map { (difference) throws(ShardcastError) in try difference.stream() }
            try DeltaApplication(streams).run(
                target.manifest.weightFiles.map { (name: $0.name, bytes: $0.bytes) }, base: base, target: partial)
        }
        made.startedFrom = start.manifest.version
        return made
    }
}
