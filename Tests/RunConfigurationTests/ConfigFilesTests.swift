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

    static let defaultsFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "Fixtures/defaults")

    static let defaults: [String] =
        ((try? FileManager.default.contentsOfDirectory(atPath: defaultsFolder.path)) ?? []).sorted()

    /// What the built-in environments supply fits a run file; the environments' tests keep these files up to date.
    @Test(arguments: defaults)
    func environmentDefaultsFit(_ name: String) throws {
        let text = try String(contentsOf: Self.defaultsFolder.appending(path: name), encoding: .utf8)
        let id = String(name.dropLast(".toml".count))
        let file = try RunFile.load(
            layers: [BuiltInRunFiles.demo(environment: id, steps: 3)],
            environmentDefaults: { section in section.name == id ? text : nil })
        #expect(file.training.steps == 3 && file.warmUp.steps >= 600 && file.sampling.maxTokens <= 10)
        if id == "digit-sort" {
            #expect(file.training.clipNorm == 0.1 && file.training.learningRate == 7e-4 && file.warmUp.clipNorm == 1)
        }
    }
}
