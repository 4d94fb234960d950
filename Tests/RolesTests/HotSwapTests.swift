import Foundation
import Fuzzing
import Generation
import Identity
import Orchestration
import Safetensors
import Shardcast
import Tensors
import Testing

@testable import Roles
@testable import Transformer

/// Versions that are made of the weights in memory: the same bits as those that are loaded, or they are loaded.
@Suite(.serialized) struct HotSwapTests {
    /// Tied embeddings and q/k norms; an output projection of its own, all biases, odd sizes.
    static let tied = ModelShape.nano.configuration
    static let untied = ModelConfiguration(
        vocabularySize: 131, hiddenSize: 36, layers: 2, heads: 3, keyValueHeads: 1, headDimension: 12,
        intermediateSize: 53, tieEmbeddings: false, maxPositions: 512, qkNorm: false, attentionBias: true,
        attentionOutputBias: true, mlpBias: true)

    @Test("every row of instructions: packed weights and tokens", arguments: KernelRow.available)
    func everyRow(_ row: KernelRow) async throws {
        let kernels = try Kernels(row: row)
        for configuration in [Self.tied, Self.untied] {
            let run = try DriftingRun()
            let versions = try run.publish(5, configuration, kernels: kernels)
            let member = try await run.member("one", kernels: kernels)
            // 1, 2, then 4 through two differences, then 5.
            for number in [1, 2, 4, 5] {
                let version = versions[number - 1]
                let request = DriftingRun.request(number)
                let group = try await member.generate(request, version)
                #expect(try group.samples == run.expected(request, version.number, kernels: kernels))
                #expect(group.version == version.number)
                let loaded = try run.loaded(version.number, kernels: kernels)
                #expect(loaded.weightsHash == version.weightsHash)
                #expect(await member.desk.block(of: version.number) == loaded.block)
                let adoption = try #require(await member.desk.adoption)
                #expect(adoption.version == version.number && adoption.isRevised == (number > 1))
            }
            let names = try FileManager.default.contentsOfDirectory(atPath: run.root + "/one")
            #expect(!names.contains("v5"), "files come later")
            await member.store.shutDown()
        }
    }

    @Test("groups in flight finish on the old weights; weights that were loaded ahead become the next ones in place")
    func inFlight() async throws {
        let kernels = try Kernels.preferred()
        let run = try DriftingRun()
        let versions = try run.publish(4, Self.tied, kernels: kernels)
        let member = try await run.member("one", kernels: kernels)
        let (old, new) = (DriftingRun.request(1, tokens: 60), DriftingRun.request(2))
        try await member.desk.add(old, version: versions[0], try await member.source(versions[0]))
        // Two are announced while a group of the first is generated: the second is superseded before its first group.
        for number in [2, 3] {
            let version = versions[number - 1]
            await member.desk.announce(version, try await member.source(version))
            while await !member.desk.loadedVersions.contains(version.number) {
                try await Task.sleep(for: .milliseconds(1))
            }
            #expect(await member.desk.loadedVersions == [1, version.number])
            let loaded = try run.loaded(version.number, kernels: kernels)
            #expect(await member.desk.block(of: version.number) == loaded.block)
        }
        let adding = Task { [member] in
            try await member.desk.add(new, version: versions[3], try await member.source(versions[3]))
        }
        let first = try await member.finish(old.groupID)
        #expect(try first.samples == run.expected(old, 1, kernels: kernels))
        #expect(first.version == 1)
        try await adding.value
        let second = try await member.finish(new.groupID)
        #expect(try second.samples == run.expected(new, 4, kernels: kernels))
        #expect(second.version == 4)
        #expect(await member.desk.adoption?.isRevised == true)
        await member.store.shutDown()
    }

    @Test func retiredWeightsBecomeTheNextVersionInTheirOwnMemory() async throws {
        let kernels = try Kernels.preferred()
        let run = try DriftingRun()
        let versions = try run.publish(3, Self.untied, kernels: kernels)
        let member = try await run.member("one", kernels: kernels)
        let retired = RetiredWeights()
        let loader = WeightLoader(kernels: kernels, tampering: nil, retired: retired)
        var place: Int?
        for version in versions {
            let source = try await member.store.source(of: version, from: version.number > 1 ? versions[0] : nil)
            let weights =
                version.number == 1
                ? try await loader.load(version, try await source.files())
                : try await loader.revise(
                    nil, by: Array(source.differences.suffix(1)), to: version)
            #expect(try weights.block == run.loaded(version.number, kernels: kernels).block)
            let address = Int(bitPattern: weights.memory.pointer)
            #expect(address == place ?? address, "the same memory")
            place = address
            retired.leave(weights)
        }
        // Where memory is short, what can be given back to the system is better.
        let short = WeightLoader(
            kernels: kernels, tampering: nil, retired: RetiredWeights(), freeMemory: { 50_000 })
        let first = try await short.load(versions[0], try await member.store.files(of: versions[0]))
        let second = try await member.store.source(of: versions[1], from: versions[0])
        await #expect(throws: RevisionRefusal.self) {
            _ = try await short.revise(first, by: second.differences, to: versions[1])
        }
        // What was retired is used once.
        await #expect(throws: RevisionRefusal.self) {
            let source = try await member.store.source(of: versions[2], from: versions[1])
            retired.discard()
            _ = try await loader.revise(nil, by: source.differences, to: versions[2])
        }
        await member.store.shutDown()
    }

    @Test("a flipped bit in memory is found before anything is generated, and the files are read")
    func damagedBase() async throws {
        let kernels = try Kernels.preferred()
        let run = try DriftingRun()
        let versions = try run.publish(4, Self.tied, kernels: kernels)
        let member = try await run.member("one", kernels: kernels)
        _ = try await member.generate(DriftingRun.request(0), versions[0])
        let count = try #require(await member.desk.block(of: 1)).count
        for (index, place) in [17, count / 2, count - 33].enumerated() {
            #expect(await member.desk.flipBit(of: UInt64(index + 1), at: place))
            let version = versions[index + 1]
            let request = DriftingRun.request(100 + index)
            let group = try await member.generate(request, version)
            #expect(try group.samples == run.expected(request, version.number, kernels: kernels))
            #expect(await member.desk.adoption?.isRevised == false)
            let loaded = try run.loaded(version.number, kernels: kernels)
            #expect(await member.desk.block(of: version.number) == loaded.block)
        }
        await member.store.shutDown()
    }

    @Test("another config.json is another model; other companions are not")
    func companions() async throws {
        let kernels = try Kernels.preferred()
        let run = try DriftingRun()
        let texts = ["{}", "{}", "{\"a\":1}", "{\"a\":1}!", "{\"a\":1}!"]
        let versions = try run.publish(5, Self.tied, kernels: kernels) { texts[Int($0) - 1] }
        let member = try await run.member("one", kernels: kernels)
        for (version, isRevised) in zip(versions, [false, true, true, false, false]) {
            let request = DriftingRun.request(Int(version.number))
            let group = try await member.generate(request, version)
            #expect(try group.samples == run.expected(request, version.number, kernels: kernels))
            #expect(await member.desk.adoption?.isRevised == isRevised, "version \(version.number)")
        }
        let companion = try Data(contentsOf: URL(fileURLWithPath: run.root + "/one/v5/tokenizer_config.json"))
        #expect(companion == Data(texts[4].utf8))
        await member.store.shutDown()
    }

    @Test("f16 is rounded when it is loaded, so it is loaded")
    func halfPrecision() async throws {
        let kernels = try Kernels.preferred()
        let run = try DriftingRun()
        let layout = ParameterLayout(Self.tied)
        var versions: [PolicyVersion] = []
        for number in UInt64(1)...2 {
            var state = UInt64(3)
            let tensors = layout.slices.map { slice in
                var bytes: [UInt8] = []
                for index in 0..<slice.count {
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    var bits = UInt16(truncatingIfNeeded: 0x2800 + (state >> 33) % 0x600) | UInt16(state >> 63) << 15
                    if number == 2, index % 50 == 0 { bits += 1 }
                    bytes += [UInt8(truncatingIfNeeded: bits), UInt8(bits >> 8)]
                }
                return TensorSource(name: slice.name, type: .float16, shape: slice.shape, bytes: bytes)
            }
            try ModelDirectory.write(
                to: run.reference(number), configuration: Self.tied,
                generation: GenerationConfiguration(stopTokens: [1]), tensors: tensors)
            let hash = try ModelDirectory(opening: run.reference(number)).weightsHash(kernels: kernels)
            versions.append(try run.publish(number, hash))
        }
        let member = try await run.member("one", kernels: kernels)
        for version in versions {
            let source = try await member.source(version)
            #expect(source.differences.count == Int(version.number) - 1, "it comes as a difference all the same")
            let request = DriftingRun.request(Int(version.number))
            let group = try await member.generate(request, version)
            #expect(try group.samples == run.expected(request, version.number, kernels: kernels))
            #expect(await member.desk.adoption?.isRevised == false)
        }
        await member.store.shutDown()
    }

    @Test("random ways through versions, with kills, damage and files that are made meanwhile", arguments: 0..<5)
    func randomWays(_ seed: UInt64) async throws {
        let kernels = try Kernels.preferred()
        var generator = FuzzGenerator(seed: seed)
        func draw(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &generator) }
        let run = try DriftingRun()
        let versions = try run.publish(14, Self.tied, kernels: kernels) { $0 % 7 == 0 ? "\($0)!" : "{}" }
        let pause: Duration = seed % 2 == 0 ? .milliseconds(1) : .seconds(3600)
        var member = try await run.member("one", kernels: kernels, pause: pause)
        var held: UInt64 = 0
        var isWhole = false
        var next = 0
        while next < versions.count {
            let version = versions[next]
            let request = DriftingRun.request(Int(seed) * 100 + next)
            let group = try await member.generate(request, version)
            #expect(try group.samples == run.expected(request, version.number, kernels: kernels))
            let loaded = try run.loaded(version.number, kernels: kernels)
            #expect(await member.desk.block(of: version.number) == loaded.block)
            // Every seventh version is of another config.json.
            let isOther = (held + 1...version.number).contains { $0 % 7 < 2 }
            if held > 0, !isOther {
                #expect(await member.desk.adoption?.isRevised == isWhole, "\(held) to \(version.number)")
            }
            (held, isWhole) = (version.number, true)
            switch draw(5) {
            case 0:
                // Killed between two versions, or in the middle of fetching one.
                if draw(2) == 0, next + 1 < versions.count {
                    let coming = versions[next + 1]
                    let fetching = Task { [member] in try await member.source(coming) }
                    for _ in 0..<draw(50) { await Task.yield() }
                    fetching.cancel()
                }
                await member.store.shutDown()
                member = try await run.member("one", kernels: kernels, pause: pause)
                held = 0
            case 1:
                // In the first panel, which has no padding.
                #expect(await member.desk.flipBit(of: held, at: draw(48 * 64)))
                isWhole = false
            default: break
            }
            next += 1 + draw(3)
        }
        await member.store.shutDown()
    }

    @Test("files follow, and a restart begins with them")
    func filesFollow() async throws {
        let kernels = try Kernels.preferred()
        let run = try DriftingRun()
        let versions = try run.publish(6, Self.tied, kernels: kernels)
        let member = try await run.member("one", kernels: kernels, pause: .milliseconds(300))
        for version in versions { _ = try await member.generate(DriftingRun.request(Int(version.number)), version) }
        let place = run.root + "/one/v6/apus.manifest"
        while !FileManager.default.fileExists(atPath: place) { try await Task.sleep(for: .milliseconds(5)) }
        await member.store.shutDown()
        let made = run.root + "/one/v6/model.safetensors"
        #expect(
            FileManager.default.contents(atPath: made)
                == FileManager.default.contents(atPath: run.reference(6) + "/model.safetensors"))
        let again = try await run.member("one", kernels: kernels)
        let request = DriftingRun.request(60)
        let group = try await again.generate(request, versions[5])
        #expect(try group.samples == run.expected(request, 6, kernels: kernels))
        await again.store.shutDown()
    }
}
