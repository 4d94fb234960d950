import CKernels
import Synchronization

/// Cosines and sines of rotary position embedding (rule 6), one row per position, grown on demand.
///
/// Inverse frequencies and angles come from our own binary64 functions, so two machines agree on every bit.
public final class RotaryTable: Sendable {
    /// Half the head dimension: values per position.
    public let halfDimension: Int
    /// The inverse frequencies, after any scaling.
    public let inverseFrequencies: [Float]

    /// The largest number of positions; angles beyond it would leave the range of the sine reduction.
    public static let maximumPositions = 1 << 24

    private struct Tables: Sendable {
        var positions = 0
        var cosines = Storage<Float>(count: 0)
        var sines = Storage<Float>(count: 0)
        // Tables only grow and double each time: keeping the old ones keeps every pointer valid at twice the memory.
        var retired: [Storage<Float>] = []
    }

    private let tables = Mutex(Tables())

    /// A table for rotary embedding with `base` (theta) over `headDimension` values.
    public convenience init(
        headDimension: Int, base: Double, scaling: RotaryScaling = .none, positions: Int = 0
    ) {
        self.init(
            inverseFrequencies: Self.inverseFrequencies(headDimension: headDimension, base: base, scaling: scaling),
            positions: positions)
    }

    /// A table that leaves every head as it is: all angles are zero.
    public static func unrotated(headDimension: Int) -> RotaryTable {
        RotaryTable(inverseFrequencies: Array(repeating: 0, count: headDimension / 2))
    }

    /// A table for inverse frequencies that a scaling rule has already changed.
    public init(inverseFrequencies: [Float], positions: Int = 0) {
        self.inverseFrequencies = inverseFrequencies
        halfDimension = inverseFrequencies.count
        _ = rows(for: positions)
    }

    /// `f32(base^(-2i / dimension))` for `i` below half the head dimension, scaled before the one rounding.
    public static func inverseFrequencies(
        headDimension: Int, base: Double, scaling: RotaryScaling = .none
    ) -> [Float] {
        precondition(headDimension > 0 && headDimension % 2 == 0, "rotary embedding needs an even head dimension")
        return [Float](unsafeUninitializedCapacity: headDimension / 2) { buffer, count in
            if let start = buffer.baseAddress {
                var settings = scaling.kernelScaling
                CanonicalEnvironment.run { ck_scaled_inverse_frequencies(base, headDimension, &settings, start) }
            }
            count = headDimension / 2
        }
    }

    /// The rows of the first `positions` positions.
    public func rows(for positions: Int) -> RotaryRows {
        precondition(positions <= Self.maximumPositions, "\(positions) positions are beyond the rotary table's range")
        return tables.withLock { tables in
            if positions > tables.positions {
                grow(&tables, to: max(positions, min(2 * tables.positions, Self.maximumPositions)))
            }
            return RotaryRows(
                positions: tables.positions, halfDimension: halfDimension, cosines: tables.cosines.pointer,
                sines: tables.sines.pointer)
        }
    }

    private func grow(_ tables: inout Tables, to positions: Int) {
        let cosines = Storage<Float>(count: positions * halfDimension, zeroed: false)
        let sines = Storage<Float>(count: positions * halfDimension, zeroed: false)
        let known = tables.positions * halfDimension
        cosines.pointer.update(from: tables.cosines.pointer, count: known)
        sines.pointer.update(from: tables.sines.pointer, count: known)
        CanonicalEnvironment.run {
            for position in tables.positions..<positions {
                let offset = position * halfDimension
                ck_rotary_row(
                    inverseFrequencies, halfDimension, UInt32(position), cosines.pointer + offset,
                    sines.pointer + offset)
            }
        }
        tables.retired += [tables.cosines, tables.sines]
        tables.cosines = cosines
        tables.sines = sines
        tables.positions = positions
    }
}

/// Rows of a ``RotaryTable``, valid as long as the table lives.
public struct RotaryRows {
    /// The number of rows.
    public let positions: Int
    /// Half the head dimension: values per row.
    public let halfDimension: Int
    /// f32 [positions, halfDimension].
    public let cosines: UnsafePointer<Float>
    /// f32 [positions, halfDimension].
    public let sines: UnsafePointer<Float>
}
