// swift-tools-version: 6.2
import PackageDescription

// The house, floor by floor; arrows go down only (ARCHITECTURE.md draws it).
// Settings are written once, here, through the small constructors at the end of the file.

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error), .enableUpcomingFeature("ExistentialAny")]

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let httpClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let tls: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
]
let protobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let subprocess: Target.Dependency = .product(name: "Subprocess", package: "swift-subprocess")
let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")

let rooms: [Target] = [
    // Floor 0: C libraries and the canonical arithmetic.
    .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(name: "CZeroMQ", providers: [.apt(["libzmq3-dev"])]),
    .systemLibrary(name: "COpenSSL", providers: [.apt(["libssl-dev"])]),
    // Differences between versions of weights, as bits; its decoder reads strangers' bytes.
    .target(name: "CDelta", cSettings: [.unsafeFlags(["-O3", "-Wall", "-Wextra", "-Werror"])]),
    // -ffp-contract=off is the arithmetic itself: a contracted multiply-add is another number.
    // -O3 also in debug builds, where SwiftPM would compile the kernels at -O0.
    .target(
        name: "CKernels",
        cSettings: [.unsafeFlags(["-O3", "-ffp-contract=off", "-fno-fast-math", "-Wall", "-Werror"])]
    ),

    // Floor 1
    room("Tensors", ["CKernels", "COpenBLAS"]),
    room("Identity", ["COpenSSL"]),
    room("Messages", [protobuf]),
    room("JSON", []),
    room("RunConfiguration", ["JSON"]),

    // Floor 2
    room("Safetensors", ["JSON", "Tensors", "Identity"]),
    room("Tokenizers", ["JSON"]),
    room("ChatTemplates", ["JSON"]),
    room("EnvironmentKit", ["JSON", "Identity", subprocess]),
    room("Queues", ["CZeroMQ", "Identity", logging]),
    room("Ledger", ["Identity", grdb]),

    // Floor 3
    registry("Rewards", path: "rewards", ["EnvironmentKit"]),
    registry("Environments", path: "environments", ["EnvironmentKit", "Rewards"]),
    room("Transformer", ["JSON", "Tensors", "Safetensors", "Identity"]),
    room("Sampling", ["Tensors", "Identity"]),
    room("Proofs", ["CKernels", "Identity"]),
    room(
        "Shardcast",
        [
            "CDelta", "Safetensors", "Identity", hummingbird, hummingbirdCore, httpClient, httpTypes, lifecycle,
            logging, tls,
        ] + nio),

    // Floor 4
    room("Generation", ["Transformer", "Sampling", "Proofs", "Tensors", "Identity"]),
    room("Training", ["Transformer", "Safetensors", "Tensors", "Identity", "EnvironmentKit", "Tokenizers"]),
    room("Verification", ["Transformer", "Sampling", "Proofs", "Tensors", "Identity"]),

    // Floor 5
    room("Orchestration", ["Identity"]),
    room(
        "Adversaries",
        ["Generation", "Verification", "Sampling", "Proofs", "Transformer", "Tensors", "Identity"]),
    room("Telemetry", ["JSON", logging]),

    // Floor 6
    room(
        "Roles",
        [
            "Orchestration", "Telemetry", "Adversaries", "Generation", "Training", "Verification", "Environments",
            "EnvironmentKit", "Queues", "Ledger", "Shardcast", "Messages", "RunConfiguration", "Transformer",
            "Sampling", "ChatTemplates", "JSON", "Proofs", "Tokenizers", "Tensors", "Identity", grdb, logging,
            subprocess, system, httpClient,
        ] + nio
    ),

    // Floor 7: what a person types.
    room(
        "Commands",
        [
            "Roles", "Adversaries", "ChatTemplates", "EnvironmentKit", "Generation", "Identity", "JSON", "Ledger",
            "Messages",
            "Proofs",
            "Queues",
            "RunConfiguration", "Safetensors", "Sampling", "Shardcast", "Telemetry", "Tensors", "Tokenizers",
            "Transformer", "Verification",
            argumentParser, logging, lifecycle,
        ]),
    executable("apus"), executable("rollout-worker"), executable("trainer"), executable("orchestrator"),
    executable("relay"), executable("verifier"),

    .executableTarget(name: "registry-generator", path: "Plugins/registry-generator", swiftSettings: strict),
    .plugin(name: "RegistryPlugin", capability: .buildTool(), dependencies: ["registry-generator"]),
]

/// Suites whose golden files were made by the scripts in `scripts/`.
let withFixtures: Set<String> = [
    "ChatTemplates", "Proofs", "Roles", "RunConfiguration", "Safetensors", "Tokenizers", "Training", "Transformer",
]

let suites: [Target] = [
    // What fuzz tests share: the time they take, and mutations.
    .target(name: "Fuzzing", path: "Tests/Fuzzing", swiftSettings: strict),
    suite("Tensors", ["CKernels"]),
    suite("Identity"),
    suite("JSON", ["EnvironmentKit"]),
    suite("Messages", [protobuf]),
    suite("RunConfiguration"),
    suite("Safetensors", ["Identity", "JSON", "Fuzzing"]),
    suite("Tokenizers", ["Fuzzing", "JSON"]),
    suite("EnvironmentKit", ["JSON"]),
    suite("Queues", ["Identity", "CZeroMQ"]),
    suite("Ledger", ["Identity", grdb]),
    suite("ChatTemplates", ["JSON"]),
    suite("Shardcast", ["CDelta", "Fuzzing", "Identity", hummingbird, httpClient, lifecycle, logging] + nio),
    suite("Environments", ["Rewards", "EnvironmentKit"]),
    suite("Transformer", ["Identity", "JSON", "Safetensors", "Tensors"]),
    suite("Sampling", ["Identity", "Tensors"]),
    suite("Proofs", ["CKernels", "Identity", "Fuzzing"]),
    suite("Generation", ["Identity", "Proofs", "Sampling", "Tensors", "Transformer"]),
    suite("Training", ["EnvironmentKit", "Tensors", "Tokenizers", "Transformer"]),
    suite("Verification", ["Fuzzing", "Generation", "Identity", "Proofs", "Sampling", "Tensors", "Transformer"]),
    suite("Orchestration", ["Identity"]),
    suite("Adversaries", ["Sampling", "Tensors", "Transformer", "Verification"]),
    suite("Telemetry", ["JSON", logging]),
    suite(
        "Roles",
        [
            "EnvironmentKit", "Fuzzing", "Generation", "Identity", "JSON", "Ledger", "Messages", "Orchestration",
            "RunConfiguration", "Sampling", "Shardcast", "Telemetry", "Tensors", "Tokenizers", "Training",
            "Transformer", "Verification",
            hummingbird, logging,
        ]),
    suite("Commands", ["EnvironmentKit", "JSON", "Roles", argumentParser]),
]

let package = Package(
    name: "apus",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.7.0"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    ],
    targets: rooms + suites,
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c17
)

/// A library room under `Sources/`.
func room(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// A room at the top level whose files register themselves: adding a file is all it takes.
func registry(_ name: String, path: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(
        name: name, dependencies: dependencies, path: path, exclude: ["README.md"], swiftSettings: strict,
        plugins: ["RegistryPlugin"])
}

/// A ten-line `@main`.
func executable(_ name: String) -> Target {
    .executableTarget(name: name, dependencies: ["Commands", argumentParser], swiftSettings: strict)
}

/// The tests of one room, under `Tests/<Room>Tests`.
func suite(_ name: String, _ more: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: [.init(stringLiteral: name)] + more,
        resources: withFixtures.contains(name) ? [.copy("Fixtures")] : [], swiftSettings: strict)
}
