import Identity

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A state on its way to the disk, in pieces.
///
/// A run with a thousand batches that no STABLE checkpoint covers has hundreds of thousands of records: encoded in one
/// piece they would hold up whoever shares the thread or the database's only writer, and fill the memory once more.
public struct SnapshotPieces {
    /// The version of the pieces' format and of what a state means.
    ///
    /// It is raised whenever a field of the state comes, goes or changes, and when `DurableState.apply` makes another
    /// state of the same facts. Snapshots of other versions are not read; the journal is.
    public static let formatVersion = 5
    /// Records in a piece: a few milliseconds of encoding, a few hundred kilobytes.
    static let records = 512
    /// Batches in a piece, since each lists its groups.
    static let batches = 8

    private var rest: [AnyIterator<SnapshotPiece>]

    /// How many facts after a snapshot the next one is due.
    ///
    /// Reading that many facts takes a tenth of a second, or about as long as reading a large snapshot; and a large
    /// snapshot, a third of a kilobyte for each record, is not written for a few facts.
    public static func interval(after state: DurableState) -> UInt64 {
        UInt64(max(10_000, state.recordCount))
    }

    /// Cuts a state; what happens to the run later does not show.
    public init(_ state: DurableState) {
        var trunk = state
        let count = trunk.removeRecords()
        rest = [
            AnyIterator([.trunk(trunk, records: count)].makeIterator()),
            Self.cut(state.slots, SnapshotPiece.slots), Self.cut(state.leases, SnapshotPiece.leases),
            Self.cut(state.groups, SnapshotPiece.groups),
            Self.cut(state.batches, per: Self.batches, SnapshotPiece.batches),
            Self.cut(state.workers, SnapshotPiece.workers), Self.cut(state.verifiers, SnapshotPiece.verifiers),
            Self.cut(state.invitations, SnapshotPiece.invitations),
        ]
    }

    /// The next piece's bytes, or nil after the last one.
    public mutating func next() throws -> [UInt8]? {
        while let current = rest.first {
            if let piece = current.next() { return try [UInt8](JSONEncoder().encode(piece)) }
            rest.removeFirst()
        }
        return nil
    }

    private static func cut<Key: Hashable, Value>(
        _ records: [Key: Value], per size: Int = Self.records,
        _ piece: @escaping ([Key: Value]) -> SnapshotPiece
    ) -> AnyIterator<SnapshotPiece> {
        var place = records.startIndex
        return AnyIterator {
            guard place != records.endIndex else { return nil }
            var part: [Key: Value] = [:]
            while place != records.endIndex, part.count < size {
                part[records[place].key] = records[place].value
                records.formIndex(after: &place)
            }
            return piece(part)
        }
    }
}

/// A piece of a state.
enum SnapshotPiece: Codable {
    /// All that is not in the pieces after it, and how many records those have.
    case trunk(DurableState, records: Int)
    case slots([UInt64: Slot])
    case leases([UInt64: LeaseRecord])
    case groups([Hash256: GroupRecord])
    case batches([UInt64: [Hash256]])
    case workers([PublicKey: WorkerRecord])
    case verifiers([PublicKey: VerifierRecord])
    case invitations([Hash256: PublicKey])
}

extension DurableState {
    /// The records that follow the work in flight or the number of members: those that come in pieces of their own.
    var recordCount: Int {
        slots.count + leases.count + groups.count + batches.count + workers.count + verifiers.count + invitations.count
    }

    /// Takes those records out, and returns how many there were.
    fileprivate mutating func removeRecords() -> Int {
        let count = recordCount
        slots = [:]
        leases = [:]
        groups = [:]
        batches = [:]
        workers = [:]
        verifiers = [:]
        invitations = [:]
        return count
    }
}
