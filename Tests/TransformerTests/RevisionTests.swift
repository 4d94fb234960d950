import Tensors
import Testing

@testable import Transformer

/// Weights that were changed in memory beside weights that were loaded: the same bits, padding included.
@Suite struct RevisionTests {
    /// Gives some tensors the values that they have in another model.
    private struct Replacement: WeightsRevision {
        let blockElements: Int
        let base: [String: [BFloat16Bits]]
        let next: [String: [BFloat16Bits]]
        private var current = ""
        private var place = 0

        init(blockElements: Int, base: [String: [BFloat16Bits]], next: [String: [BFloat16Bits]]) {
            self.blockElements = blockElements
            self.base = base
            self.next = next
        }

        mutating func begin(_ tensor: TensorSlice) -> Bool {
            (current, place) = (tensor.name, 0)
            return next[tensor.name] != nil
        }

        mutating func revise(_ block: UnsafeMutableBufferPointer<BFloat16Bits>) throws {
            guard let old = base[current], let new = next[current] else { return }
            #expect(Array(block) == Array(old[place..<place + block.count]), "\(current) at \(place)")
            #expect(block.count == min(blockElements, new.count - place))
            for index in block.indices { block[index] = new[place + index] }
            place += block.count
        }
    }

    private let kernels: Kernels
    private let pool = ComputePool(threads: 1)

    init() throws { kernels = try Kernels.preferred() }

    private func weights(_ configuration: ModelConfiguration, seed: UInt64) throws -> ModelWeights {
        let master = ModelInitializer.random(configuration, seed: seed)
        // Norms and biases differ too.
        for slice in master.layout.slices where slice.isVector {
            for index in master[slice].indices { master[slice][index] += Float(index % 7) * Float(seed) / 64 }
        }
        return try ModelWeights(master: master, kernels: kernels, pool: pool)
    }

    private func tensors(_ weights: ModelWeights) -> [String: [BFloat16Bits]] {
        Dictionary(
            weights.layout.slices.map { ($0.name, weights.elements(of: $0)) }, uniquingKeysWith: { first, _ in first })
    }

    private func memory(_ weights: ModelWeights) -> [BFloat16Bits] {
        withExtendedLifetime(weights) { Array(weights.memory.buffer) }
    }

    private func biases(_ weights: ModelWeights) -> [[Float]?] {
        weights.layers.flatMap { layer in
            [layer.queryKeyValueBias, layer.attentionOutputBias, layer.gateUpBias, layer.downBias].map { bias in
                bias.map { Array($0.buffer) }
            }
        }
    }

    @Test(
        "any tensors, any size of block, copied and in place",
        arguments: [OddShape.small, OddShape.llama, OddShape.wideWithEverything, ModelShape.nano.configuration])
    func equalsLoading(_ configuration: ModelConfiguration) throws {
        let (one, two) = (try weights(configuration, seed: 1), try weights(configuration, seed: 2))
        let (old, all) = (tensors(one), tensors(two))
        let before = memory(one)
        for (round, blockElements) in [97, 1000, 5003, 1 << 20].enumerated() {
            // All tensors, a part of them, none.
            let names = all.keys.sorted().enumerated().filter { round == 3 || ($0.offset + round) % 3 == 0 }
            let next = Dictionary(uniqueKeysWithValues: names.map { ($0.element, all[$0.element] ?? []) })
            let expected = try weights(configuration, seed: 1)
            try expected.rewrite(expected.layout.slices, pool: pool) { slice, elements, block in
                let values = next[slice.name] ?? old[slice.name] ?? []
                for index in elements { block[index - elements.lowerBound] = values[index] }
            }
            var replacement = Replacement(blockElements: blockElements, base: old, next: next)
            let revised = try one.revised(by: &replacement)
            #expect(memory(revised) == memory(expected))
            #expect(revised.weightsHash == expected.weightsHash)
            #expect(revised.isIntact && revised.isPrivate)
            #expect(biases(revised) == biases(expected))
            #expect(revised.rotary === one.rotary)
            #expect(memory(one) == before, "the base is only read")
            var again = Replacement(blockElements: blockElements, base: old, next: next)
            let own = try weights(configuration, seed: 1)
            #expect(try own.revised(inPlace: true, by: &again) === own)
            #expect(memory(own) == memory(expected) && own.weightsHash == expected.weightsHash)
            #expect(biases(own) == biases(expected))
        }
    }

    @Test func denormalsAreFlushedAndNothingInfiniteIsTaken() throws {
        let one = try weights(OddShape.small, seed: 1)
        let name = try #require(one.layout.slices.first { !$0.isVector }).name
        let old = tensors(one)
        var next = try #require(old[name])
        next[3] = 0x8001
        var replacement = Replacement(blockElements: 100, base: old, next: [name: next])
        let revised = try one.revised(by: &replacement)
        #expect(revised.tensor(named: name)?[3] == 0x8000)
        #expect(revised.isIntact)
        next[3] = 0x7F80
        var infinite = Replacement(blockElements: 100, base: old, next: [name: next])
        #expect(throws: ModelError.self) { try one.revised(by: &infinite) }
    }

    @Test func damageOfTheBaseShowsInTheHash() throws {
        let (one, two) = (try weights(OddShape.small, seed: 1), try weights(OddShape.small, seed: 2))
        let (old, all) = (tensors(one), tensors(two))
        let changed = try #require(one.layout.slices.first { !$0.isVector }).name
        var replacement = Replacement(blockElements: 64, base: old, next: [changed: all[changed] ?? []])
        let right = try one.revised(by: &replacement)
        #expect(one.weightsHash != right.weightsHash && one.isIntact)
        // A bit of a tensor that nothing changes.
        one.memory.pointer[one.memory.count - 40] ^= 4
        #expect(!one.isIntact)
        var again = Replacement(blockElements: 64, base: old, next: [changed: all[changed] ?? []])
        let wrong = try one.revised(by: &again)
        #expect(wrong.weightsHash != right.weightsHash && wrong.isIntact)
    }
}
