import Foundation
import Testing

@testable import RunConfiguration

/// Every file in `configs/` loads; a file that is added there is tested by being there.
struct ConfigFilesTests {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "configs")

    static let files: [String] =
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
        .filter { $0.hasSuffix(".toml") }.sorted()

    @Test func theFolderIsNotEmpty() {
        #expect(Self.files.count >= 8)
    }

    @Test(arguments: files)
    func loads(_ name: String) throws {
        let path = Self.folder.appending(path: name).path
        if name.hasPrefix("sft") {
            let file = try SupervisedFile.load(files: [path])
            let node = try ConfigurationNode(toml: file.toml, source: "again")
            #expect(try SupervisedFile.load(layers: [node]) == file)
        } else {
            let file = try RunFile.load(files: [path])
            #expect(try RunFile.load(layers: [ConfigurationNode(toml: file.toml, source: "again")]) == file)
            #expect(try RunFile.load(layers: [ConfigurationNode(json: file.json, source: "run.json")]) == file)
        }
    }

    @Test func demoIsTheBuiltInDemo() throws {
        let file = try RunFile.load(files: [Self.folder.appending(path: "demo.toml").path])
        #expect(try RunFile.load(layers: [BuiltInRunFiles.demo()]) == file)
    }

    @Test func ciIsALayerOverTheDemo() throws {
        let paths = ["demo.toml", "ci.toml"].map { Self.folder.appending(path: $0).path }
        let file = try RunFile.load(files: paths)
        #expect(file.swarm.workers == 2)
        #expect(file.swarm.dishonest == 1)
        #expect(file.training.groupsPerBatch == 16)
    }
}
