import Messages

/// Puts the parts of one batch together, however often and in whatever order they come.
struct BatchAssembly {
    /// Parts of 8 MiB each: far more than any batch has.
    private static let maximumParts = 1 << 16

    private var step: UInt64 = 0
    private var prefix: UInt64 = 0
    private var parts: [[Wire.TrainingGroup]?] = []

    /// The first part that is missing.
    var nextPart: UInt32 { UInt32(parts.firstIndex { $0 == nil } ?? 0) }

    /// Whether this part of this batch is here already.
    func holds(_ batch: Wire.Batch) -> Bool {
        batch.step == step && batch.batchHashPrefix == prefix && parts.indices.contains(Int(batch.part))
            && parts[Int(batch.part)] != nil
    }

    /// Adds a part.
    ///
    /// - Returns: All groups of the batch in order, once the last missing part is here; nil before.
    mutating func add(_ batch: Wire.Batch) -> [Wire.TrainingGroup]? {
        let count = Int(max(1, batch.parts))
        guard count <= Self.maximumParts, Int(batch.part) < count else { return nil }
        if batch.step != step || batch.batchHashPrefix != prefix || parts.count != count {
            (step, prefix) = (batch.step, batch.batchHashPrefix)
            parts = Array(repeating: nil, count: count)
        }
        parts[Int(batch.part)] = batch.groups
        guard parts.allSatisfy({ $0 != nil }) else { return nil }
        defer { self = BatchAssembly() }
        return parts.flatMap { $0 ?? [] }
    }
}
