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
let protobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let subprocess: Target.Dependency = .product(name: "Subprocess", package: "swift-subprocess")
let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let toml: Target.Dependency = .product(name: "TOMLKit", package: "TOMLKit")

let rooms: [Target] = [
    // Floor 0: C libraries and the canonical arithmetic.
    .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(name: "CZeroMQ", providers: [.apt(["libzmq3-dev"])]),
    .systemLibrary(name: "COpenSSL", providers: [.apt(["libssl-dev"])]),
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
    room("RunConfiguration", [toml]),

    // Floor 2
    room("Safetensors", ["Tensors", "Identity"]),
    room("Tokenizers", []),
    room("EnvironmentKit", ["Tokenizers", "Identity", subprocess]),
    room("Queues", ["CZeroMQ", "Identity", logging]),
    room("Ledger", ["Identity", grdb]),
    room("Shardcast", ["Identity", hummingbird, httpClient, logging]),

    // Floor 3
    registry("Rewards", path: "rewards", ["EnvironmentKit"]),
    registry("Environments", path: "environments", ["EnvironmentKit", "Rewards"]),
    room("Transformer", ["Tensors", "Safetensors", "Identity"]),
    room("Sampling", ["Tensors", "Identity"]),
    room("Proofs", ["Tensors", "Identity"]),

    // Floor 4
    room("Generation", ["Transformer", "Sampling", "Proofs", "Tensors", "Identity"]),
    room("Training", ["Transformer", "Sampling", "Safetensors", "Tensors", "Identity", "EnvironmentKit", "Tokenizers"]),
    room("Verification", ["Transformer", "Sampling", "Proofs", "Tensors", "Identity"]),

    // Floor 5
    room("Orchestration", ["Identity"]),
    room("Telemetry", [logging]),

    // Floor 6
    room(
        "Roles",
        [
            "Orchestration", "Telemetry", "Generation", "Training", "Verification", "Environments", "Rewards",
            "EnvironmentKit", "Queues", "Ledger", "Shardcast", "Messages", "RunConfiguration", "Transformer", "Sampling",
            "Proofs", "Safetensors", "Tokenizers", "Tensors", "Identity", grdb, logging, lifecycle, subprocess,
            system, httpClient,
        ]
    ),

    // Floor 7: what a person types.
    room("Commands", ["Roles", argumentParser]),
    executable("apus"), executable("rollout-worker"), executable("trainer"), executable("orchestrator"),
    executable("relay"), executable("verifier"),

    .executableTarget(name: "registry-generator", path: "Plugins/registry-generator", swiftSettings: strict),
    .plugin(name: "RegistryPlugin", capability: .buildTool(), dependencies: ["registry-generator"]),
]

let suites: [Target] = [
    suite("Tensors", ["CKernels"]), suite("Identity"), suite("Messages"), suite("RunConfiguration"),
    suite("Safetensors"), suite("Tokenizers"), suite("EnvironmentKit"), suite("Queues"), suite("Ledger"),
    suite("Shardcast"), suite("Environments", ["Rewards", "EnvironmentKit"]), suite("Transformer"), suite("Sampling"),
    suite("Proofs"), suite("Generation"), suite("Training"), suite("Verification", ["Generation"]),
    suite("Orchestration"), suite("Telemetry"), suite("Roles"), suite("Commands"),
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
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
    ],
    targets: (rooms + suites).filter { isBuilt($0) }.map { target in
        target.dependencies.removeAll { dependency in
            if case .byNameItem(let name, _) = dependency {
                return !(rooms.first { $0.name == name }.map { isBuilt($0) } ?? true)
            }
            return false
        }
        return target
    },
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c17,
    cxxLanguageStandard: .cxx17
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
        resources: hasFixtures(name) ? [.copy("Fixtures")] : [], swiftSettings: strict)
}

// --- while the house is being built: only rooms that exist ---
import Foundation

func folder(of target: Target) -> String {
    let root = Context.packageDirectory
    if let path = target.path { return "\(root)/\(path)" }
    switch target.type {
    case .test: return "\(root)/Tests/\(target.name)"
    case .plugin: return "\(root)/Plugins/\(target.name)"
    default: return "\(root)/Sources/\(target.name)"
    }
}
func isBuilt(_ target: Target) -> Bool {
    FileManager.default.fileExists(atPath: folder(of: target))
}
func hasFixtures(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: "\(Context.packageDirectory)/Tests/\(name)Tests/Fixtures")
}
