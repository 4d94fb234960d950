@testable import Orchestration

/// A snapshot as it lies on a disk.
struct Snapshot {
    let pieces: [[UInt8]]

    init(of state: DurableState) throws {
        var pieces: [[UInt8]] = []
        var rest = SnapshotPieces(state)
        while let piece = try rest.next() { pieces.append(piece) }
        self.pieces = pieces
    }

    /// The state that was written.
    func read() throws -> DurableState { try Self.read(pieces) }

    static func read(_ pieces: [[UInt8]]) throws -> DurableState {
        var assembly = SnapshotAssembly()
        for piece in pieces { try assembly.take(piece) }
        return try assembly.finish()
    }

    /// A state written and read.
    static func copy(of state: DurableState) throws -> DurableState { try Snapshot(of: state).read() }
}
