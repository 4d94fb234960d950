import Identity

extension Manifest {
    /// Checks every rule of the format that does not need a key or a clock.
    ///
    /// - Throws: ``ShardcastError`` of kind `malformedManifest` or `unsupportedSchema`.
    public func validate() throws(ShardcastError) {
        try Self.checkSchema(schema)
        try require(
            version <= VersionNumber.maximum && step <= VersionNumber.maximum, "has an impossible version or step")
        try require(!files.isEmpty, "lists no files")
        try require(files.count <= ManifestLimits.files, "lists more than \(ManifestLimits.files) files")
        try checkFiles()
        try checkTensors()
        try checkKind()
        if let expiresMilliseconds {
            try require(expiresMilliseconds > createdMilliseconds, "expires before it was created")
        }
    }

    static func checkSchema(_ schema: UInt32) throws(ShardcastError) {
        if schema > currentSchema {
            throw ShardcastError(
                .unsupportedSchema,
                "The manifest has schema \(schema), and this program reads up to \(currentSchema): upgrade this program."
            )
        }
        if schema < oldestReadableSchema {
            throw ShardcastError(
                .unsupportedSchema,
                "The manifest has schema \(schema), and this program reads \(oldestReadableSchema) and later: "
                    + "upgrade the publisher.")
        }
    }

    private func checkFiles() throws(ShardcastError) {
        var names = Set<String>()
        var lengths: [Hash256: UInt64] = [:]
        var total: UInt64 = 0
        var shardCount = 0
        for file in files {
            try require(FileName.isAllowed(file.name), "lists a file whose name is not one of a model directory")
            try require(names.insert(file.name).inserted, "lists \(file.name) twice")
            try require(file.bytes > 0, "lists \(file.name) without content")
            if kind == .delta, FileName.isWeights(file.name) {
                try require(file.shards.isEmpty, "is a difference and has shards for \(file.name)")
            } else {
                try check(file, &lengths, &shardCount)
            }
            let (sum, overflow) = total.addingReportingOverflow(file.bytes)
            total = sum
            try require(
                !overflow && total <= ManifestLimits.totalBytes,
                "describes more than \(ManifestLimits.totalBytes) bytes")
        }
        try require(total == totalBytes, "says \(totalBytes) bytes in all, but its files have \(total)")
        if let deltaFile { try check(deltaFile, &lengths, &shardCount) }
    }

    /// The shards of one file make up its length and, where there is one only, its hash.
    private func check(_ file: File, _ lengths: inout [Hash256: UInt64], _ shardCount: inout Int) throws(ShardcastError)
    {
        try require(file.bytes > 0 && !file.shards.isEmpty, "lists \(file.name) without content")
        shardCount += file.shards.count
        try require(shardCount <= ManifestLimits.shards, "lists more than \(ManifestLimits.shards) shards")
        var sum: UInt64 = 0
        for shard in file.shards {
            try require(
                shard.bytes > 0 && shard.bytes <= ShardPlan.maximumBytes,
                "has a shard of \(shard.bytes) bytes in \(file.name)")
            // The same hash with two lengths cannot be true, and would confuse every cache.
            try require(
                lengths.updateValue(shard.bytes, forKey: shard.sha256).map { $0 == shard.bytes } ?? true,
                "gives shard \(shard.sha256.hex) two lengths")
            sum += shard.bytes  // at most 2^16 shards of 2^25 bytes: no overflow
        }
        try require(sum == file.bytes, "has shards of \(sum) bytes for \(file.name), which has \(file.bytes)")
        try require(
            file.shards.count > 1 || file.shards[0].sha256 == file.sha256,
            "gives \(file.name), which is one shard, another hash than that shard")
    }

    /// What a kind needs and what it must not have.
    private func checkKind() throws(ShardcastError) {
        try require(schema >= kind.schema, "is of schema \(schema), which has no version of kind \(kind.rawValue)")
        if let base {
            try require(base < version, "is based on version \(base), which is not earlier than itself")
        }
        if let anchor {
            try require(base != nil && anchor < version, "names an anchor that is not earlier than itself")
        }
        let names = Set(files.map(\.name))
        switch kind {
        case .full:
            guard anchor == nil, (base != nil) == (delta != nil), (baseWeightsHash != nil) == (delta != nil) else {
                throw ShardcastError(
                    .unsupportedSchema,
                    "Version \(version) is a difference to an earlier one in a way that this program does not read: "
                        + "upgrade this program.")
            }
            try require(delta == nil || schema >= VersionKind.delta.schema, "has a difference that its schema has not")
            try require(names.isDisjoint(with: FileName.adapter), "is a full version and lists files of an adapter")
        case .adapter:
            try require(delta == nil, "is an adapter and has a difference")
            try require(base != nil && baseWeightsHash != nil, "is an adapter and does not say of which weights")
            // A chain would have to be merged in order; nobody makes one.
            try require(anchor == base, "is an adapter whose base is not a full version")
            try require(names == FileName.adapter, "is an adapter and lists other files than an adapter's")
        case .delta:
            try require(
                delta != nil && base != nil && baseWeightsHash != nil, "is a difference and does not say of what")
            try require(anchor != nil && (anchor ?? 0) <= (base ?? 0), "is a difference without an anchor")
            try require(names.isDisjoint(with: FileName.adapter), "is a difference and lists files of an adapter")
            try require(!weightFiles.isEmpty, "is a difference and lists no weights")
        }
    }

    private func checkTensors() throws(ShardcastError) {
        try require(tensors.count <= ManifestLimits.tensors, "lists more than \(ManifestLimits.tensors) tensors")
        let lengths = Dictionary(files.map { ($0.name, $0.bytes) }, uniquingKeysWith: { first, _ in first })
        for tensor in tensors {
            try require(
                tensor.name.utf8.count <= ManifestLimits.nameBytes
                    && tensor.dtype.utf8.count <= ManifestLimits.nameBytes,
                "has a tensor with an overlong name")
            try require(tensor.shape.count <= ManifestLimits.dimensions, "has a tensor of too many dimensions")
            let (end, overflow) = tensor.offset.addingReportingOverflow(tensor.bytes)
            guard let length = lengths[tensor.file] else {
                throw malformed("places a tensor in a file that it does not list")
            }
            try require(!overflow && end <= length, "places a tensor outside of \(tensor.file)")
        }
    }

    private func require(_ condition: Bool, _ complaint: @autoclosure () -> String) throws(ShardcastError) {
        guard condition else { throw malformed(complaint()) }
    }

    private func malformed(_ complaint: String) -> ShardcastError {
        ShardcastError(
            .malformedManifest, "The manifest of version \(version) \(complaint): the publisher is faulty; report it.")
    }
}
