import ArgumentParser
import Foundation
import Identity
import Roles
import Shardcast
import Transformer

/// `apus weights publish`.
struct WeightsPublishCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish", abstract: "Add a version to an origin directory: a difference where that is shorter.",
        discussion: """
            The newest version in the directory is the base. Every so often (--anchor-interval), and whenever \
            differences would cost more, the version is a whole one. Ends with one JSON line.

              apus weights publish --model checkpoints/v12 --origin weights --version 12 --key lab.key
            """)

    @Option(help: ArgumentHelp("A model in Hugging Face layout that nobody writes to meanwhile.", valueName: "dir"))
    var model: String

    @Option(help: ArgumentHelp("The origin directory; made if it is not there.", valueName: "dir"))
    var origin: String

    @Option(help: ArgumentHelp("Above every version before.", valueName: "number"))
    var version: UInt64

    @Option(help: ArgumentHelp("The key file to sign with (apus keys new).", valueName: "file"))
    var key: String

    @Option(help: ArgumentHelp("The optimizer step of the version; its number if not given.", valueName: "number"))
    var step: UInt64?

    @Option(help: ArgumentHelp("At the latest every so many versions a whole one.", valueName: "number"))
    var anchorInterval = 10

    @Option(help: ArgumentHelp("Remove all but this many of the newest versions.", valueName: "number"))
    var keep: Int?

    @OptionGroup var compute: ComputeOptions

    func validate() throws {
        guard (1...ManifestLimits.chain).contains(anchorInterval) else {
            throw ValidationError("--anchor-interval is 1 to \(ManifestLimits.chain).")
        }
        if let keep, keep < 1 { throw ValidationError("--keep is at least 1.") }
    }

    private struct Report: Encodable {
        let version: UInt64
        let kind: String
        let weightsHash: String
        let bytesPublished: UInt64
        let bytesFull: UInt64
        let density: Double?
        let seconds: Double
    }

    func run() async throws {
        let began = ContinuousClock.now
        let keys = try NodeKeys.load(path: key)
        let hash = try ModelDirectory(opening: model).weightsHash(kernels: try compute.kernels())
        let directory = try OriginDirectory(continuing: origin, key: keys.signing)
        let published = try directory.publish(
            modelDirectory: model, version: version, step: step ?? version, weightsHash: hash,
            anchors: AnchorPolicy(interval: anchorInterval))
        if let keep { try directory.prune(VersionsInUse(newest: keep)) }
        try Output.line(
            Report(
                version: version, kind: published.manifest.kind.rawValue, weightsHash: hash.hex,
                bytesPublished: published.bytes, bytesFull: published.manifest.totalBytes,
                density: published.statistics?.density, seconds: began.duration(to: .now) / .seconds(1)))
    }
}
