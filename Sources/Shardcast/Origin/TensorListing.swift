import Identity

/// The tensors of whole versions with their own hashes, so that whoever has a part of a version can check it.
enum TensorListing {
    /// More are not listed: every client reads the manifest, and it has a limit.
    private static let most = 4096

    /// Lists what the weight files hold; nothing where a file is not one that can be read.
    ///
    /// - Throws: ``ShardcastError`` if a file cannot be read to its end.
    static func tensors(of files: [PublishedFile], in directory: String) throws(ShardcastError) -> [Manifest.Tensor] {
        var tensors: [Manifest.Tensor] = []
        for name in files.map(\.name).filter(FileName.isWeights) {
            let path = "\(directory)/\(name)"
            guard let layout = try? DeltaLayout.tensors(of: path), let file = try OpenFile.reading(path) else {
                return []
            }
            for (tensor, info) in layout.tensors {
                guard tensors.count < most, tensor.utf8.count <= ManifestLimits.nameBytes,
                    info.shape.count <= ManifestLimits.dimensions
                else { return [] }
                let offset = layout.start + UInt64(info.range.lowerBound)
                tensors.append(
                    Manifest.Tensor(
                        name: tensor, dtype: info.type.rawValue, shape: info.shape.map(UInt64.init), file: name,
                        offset: offset, bytes: UInt64(info.range.count),
                        sha256: try FileDigest.hash(file, offset..<offset + UInt64(info.range.count))))
            }
        }
        return tensors
    }
}
