#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A state on its way back from the disk: what `SnapshotPieces` gave, put together again.
public struct SnapshotAssembly {
    private var state: DurableState?
    private var missing = 0

    /// An assembly without a piece.
    public init() {}

    /// Adds the next piece.
    ///
    /// - Throws: `FactCodingError` if the bytes are none, or it is not the next one's turn.
    public mutating func take(_ bytes: some Sequence<UInt8>) throws(FactCodingError) {
        let piece: SnapshotPiece
        do {
            piece = try JSONDecoder().decode(SnapshotPiece.self, from: Data(bytes))
        } catch {
            throw FactCodingError(description: "A piece of a snapshot is damaged: \(error).")
        }
        if case .trunk(let trunk, let records) = piece {
            guard state == nil, trunk.recordCount == 0, records >= 0 else {
                throw FactCodingError(description: "A snapshot has its first piece twice, or one that is not empty.")
            }
            state = trunk
            missing = records
            return
        }
        guard state != nil else { throw FactCodingError(description: "A snapshot lacks its first piece.") }
        let before = state?.recordCount ?? 0
        state?.add(piece)
        missing -= (state?.recordCount ?? 0) - before
    }

    /// The whole state.
    ///
    /// - Throws: `FactCodingError` if a piece is missing or there is one too many.
    public func finish() throws(FactCodingError) -> DurableState {
        guard let state, missing == 0 else {
            throw FactCodingError(description: "A snapshot has not as many records as it says.")
        }
        return state
    }
}

extension DurableState {
    fileprivate mutating func add(_ piece: SnapshotPiece) {
        switch piece {
        case .trunk: break
        case .slots(let part): slots.merge(part) { $1 }
        case .leases(let part): leases.merge(part) { $1 }
        case .groups(let part): groups.merge(part) { $1 }
        case .batches(let part): batches.merge(part) { $1 }
        case .workers(let part): workers.merge(part) { $1 }
        case .verifiers(let part): verifiers.merge(part) { $1 }
        case .invitations(let part): invitations.merge(part) { $1 }
        }
    }
}
