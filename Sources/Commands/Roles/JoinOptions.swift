import ArgumentParser
import Foundation
import Identity
import Messages
import Roles

/// What workers and verifiers have in common: the run, their key, their name, their cache.
struct JoinOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "Where the run is: apus://HOST:PORT/?run=ID&key=apus1:…, or a file or http(s) address that holds the same.",
            valueName: "url"))
    var address: String

    @Option(
        help: ArgumentHelp(
            "Key file, made when it is not there; whoever has it has your credit (default: ~/.apus/ROLE.key).",
            valueName: "file"))
    var key: String?

    @Option(help: "Your name on the lab's screens (default: this machine's name).")
    var name: String?

    @Option(
        help: ArgumentHelp("Where fetched weights are kept (default: ~/.apus/cache/RUN).", valueName: "dir"))
    var cache: String?

    func ticket() async throws -> JoinTicket { try await JoinTicket(resolving: address) }

    func keys(_ role: String) throws -> NodeKeys {
        let path = key ?? Self.home + "/\(role).key"
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent.isEmpty
                ? "." : (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        return try NodeKeys.loadOrCreate(path: path)
    }

    func cacheDirectory(_ ticket: JoinTicket, _ keys: NodeKeys) throws -> String {
        let path =
            cache ?? Self.home + "/cache/" + Hexadecimal.encode(ticket.run.prefix(8)) + "-"
            + keys.signing.publicKey.hex.prefix(8)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    var displayName: String { String((name ?? ProcessInfo.processInfo.hostName).prefix(48)) }

    private static var home: String { NSHomeDirectory() + "/.apus" }
}
