/// Run files that need no file.
public enum BuiltInRunFiles {
    /// The demo: three workers, one of them dishonest, on this machine.
    ///
    /// Everything that depends on the environment (steps, batch, learning rate) comes from the environment's own
    /// defaults, which lie below this layer.
    ///
    /// - Parameters:
    ///   - environment: The id of a built-in environment.
    ///   - shape: The random model to start from.
    ///   - seed: Every random choice follows from it.
    ///   - steps: Steps of reinforcement; the environment's own number if nil.
    ///   - directory: Where the run lives; `runs/demo` if nil.
    ///   - cheater: Whether one of the workers is dishonest.
    public static func demo(
        environment: String = "digit-sort", shape: ModelShapeName = .nano, seed: UInt64 = 0, steps: Int? = nil,
        directory: String? = nil, cheater: Bool = true
    ) -> ConfigurationNode {
        func table(_ members: KeyValuePairs<String, ConfigurationNode.Value?>) -> ConfigurationNode {
            var table = ConfigurationTable()
            for (key, value) in members {
                if let value { table[key] = ConfigurationNode(value, origin: ConfigurationOrigin(source: "demo")) }
            }
            return ConfigurationNode(.table(table), origin: ConfigurationOrigin(source: "demo"))
        }
        var layer: ConfigurationTable = [
            "run": table([
                "name": .text("demo"), "directory": .text(directory ?? "runs/demo"),
                "seed": .integer(Int64(clamping: seed)),
            ]),
            "model": table(["shape": .text(shape.rawValue)]),
            "environment": table(["name": .text(environment)]),
            "swarm": table([
                "workers": .integer(3), "dishonest": .integer(cheater ? 1 : 0), "verifiers": .integer(1),
                "worker_threads": .integer(1), "verifier_threads": .integer(1), "trainer_threads": .integer(2),
                "groups_in_flight": .integer(24),
            ]),
            "admission": table(["mode": .text("invite")]),
            // The story is that every group is looked at; the run is too short to earn trust anyway.
            "audit": table(["mode": .text("all")]),
        ]
        layer["training"] = table([
            "steps": steps.map { .integer(Int64($0)) }, "pace": .integer(1), "max_staleness": .integer(2),
            "checkpoint_interval": .integer(10),
        ])
        return ConfigurationNode(.table(layer), origin: ConfigurationOrigin(source: "demo"))
    }
}
