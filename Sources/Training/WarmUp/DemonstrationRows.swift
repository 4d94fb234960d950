import EnvironmentKit

/// Demonstrations that are given: every epoch visits every one once, in an order that follows from the seed.
public struct DemonstrationRows: DemonstrationSource {
    private let rows: [Demonstration]
    private let seed: UInt64
    private let batch: Int

    /// A source of demonstrations.
    ///
    /// - Parameters:
    ///   - rows: at least one.
    ///   - name: where they come from, for error messages.
    ///   - seed: the run's seed.
    ///   - batch: demonstrations per step.
    /// - Throws: ``DemonstrationError`` for no rows.
    public init(rows: [Demonstration], name: String, seed: UInt64, batch: Int) throws {
        guard batch > 0 else { throw DemonstrationError("\(name): a batch needs at least one demonstration") }
        guard !rows.isEmpty else { throw DemonstrationError("\(name): it holds no rows") }
        self.rows = rows
        self.seed = seed
        self.batch = batch
    }

    /// The demonstrations of a step, counted from 1.
    public func demonstrations(at step: Int) throws -> [Demonstration] {
        var order: (epoch: Int, rows: [Demonstration])?
        return (0..<batch).map { place in
            let position = (step - 1) * batch + place
            let epoch = position / rows.count
            if order?.epoch != epoch {
                var random = SplitMix64(stream: seed, UInt64(epoch))
                order = (epoch, random.shuffled(rows))
            }
            return (order?.rows ?? rows)[position % rows.count]
        }
    }
}
