import Identity

/// The newest version's weights as files, from which the next difference is made.
///
/// They are a convenience: where they are missing or not what was signed, the next version is a whole one.
extension OriginDirectory {
    /// The newest version, if its files lie under `.head` as they were signed.
    func head(_ state: inout State) throws(ShardcastError) -> Manifest? {
        guard let newest = state.live.keys.max(), let manifest = state.live[newest]?.manifest, manifest.kind != .adapter
        else { return nil }
        if state.checkedHead == newest { return manifest }
        for file in manifest.weightFiles {
            guard let open = try OpenFile.reading("\(layout.head(newest))/\(file.name)"), try open.size == file.bytes,
                try FileDigest.hash(open, 0..<file.bytes) == file.sha256
            else { return nil }
        }
        state.checkedHead = newest
        return manifest
    }

    /// Takes the files of the version that was just published in place of the earlier ones'.
    ///
    /// - Parameter isGiven: Whether the directory may be moved.
    func adoptHead(_ directory: String, _ manifest: Manifest, isGiven: Bool, _ state: inout State) {
        do throws(ShardcastError) {
            try Directories.create(layout.heads)
            let target = layout.head(manifest.version)
            if Directories.exists(target) { try Directories.removeFlatDirectory(target) }
            var isMoved = false
            if isGiven, (try? Directories.rename(directory, to: target)) != nil { isMoved = true }
            if !isMoved { try copyHead(directory, manifest, to: target) }
            for name in try Directories.names(layout.heads) where "\(layout.heads)/\(name)" != target {
                try Directories.removeFlatDirectory("\(layout.heads)/\(name)")
            }
            state.checkedHead = manifest.version
        } catch {
            // The version is out; only the next one will be whole for it.
            state.checkedHead = nil
        }
    }

    private func copyHead(_ directory: String, _ manifest: Manifest, to target: String) throws(ShardcastError) {
        let draft = "\(layout.heads)/.new"
        if Directories.exists(draft) { try Directories.removeFlatDirectory(draft) }
        try Directories.create(draft)
        for file in manifest.weightFiles {
            guard let source = try OpenFile.reading("\(directory)/\(file.name)"),
                try FileDigest.copy(
                    source, 0..<file.bytes, to: try OpenFile.writing("\(draft)/\(file.name)", truncate: true), at: 0)
                    == file.sha256
            else { throw ShardcastError(.storage, "\(directory)/\(file.name) changed while it was published.") }
        }
        try Directories.rename(draft, to: target)
    }
}
