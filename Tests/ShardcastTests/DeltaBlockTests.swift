import CDelta
import Fuzzing
import Testing

@testable import Shardcast

/// The kernels that code a block, against a second implementation written from the format's text.
@Suite struct DeltaBlockTests {
    private func pair(
        _ count: Int, density: Double, spread: Int, _ generator: inout FuzzGenerator
    ) -> (base: [UInt16], next: [UInt16]) {
        let base = (0..<count).map { _ in TestModel.weight(&generator) }
        let next = base.map { old -> UInt16 in
            guard Double.random(in: 0..<1, using: &generator) < density else { return old }
            return old &+ UInt16(truncatingIfNeeded: Int.random(in: -spread...spread, using: &generator))
        }
        return (base, next)
    }

    @Test(arguments: [0, 0.001, 0.01, 0.05, 0.2, 0.45, 0.7, 1])
    func everyDensityComesBack(_ density: Double) throws {
        var generator = FuzzGenerator(seed: UInt64(density * 1000))
        for count in [1, 2, 31, 32, 33, 63, 64, 1000, 4095, 65_537] {
            for spread in [1, 3, 40, 3000, 32_767] {
                let (base, next) = pair(count, density: density, spread: spread, &generator)
                let body = BlockCodec.encode(base, next)
                #expect(body.count <= cd_bound(count))
                #expect(BlockCodec.decode(body, base) == next, "\(count) elements, spread \(spread), mode \(body[0])")
                #expect(ReferenceDecoder.decode(body, base) == next)
            }
        }
    }

    @Test func everyPatternBecomesEveryKindOfPattern() {
        let all = (0...UInt16.max).map { $0 }
        for shift: UInt16 in [0, 1, 0xFFFF, 0x7FFF, 0x8000, 0x0080] {
            let next = all.map { $0 &+ shift }
            let body = BlockCodec.encode(all, next)
            #expect(BlockCodec.decode(body, all) == next)
            #expect(ReferenceDecoder.decode(body, all) == next)
        }
        // Signed zeros, sign flips, NaNs with payloads, alone among equal ones.
        for (old, new) in [(0x0000, 0x8000), (0x8000, 0), (0x3F80, 0xBF80), (0x7FC0, 0x7FC1), (0xFFFF, 0x7FFF)]
            as [(UInt16, UInt16)]
        {
            var base = [UInt16](repeating: 0x3C00, count: 5000)
            base[4321] = old
            var next = base
            next[4321] = new
            let body = BlockCodec.encode(base, next)
            #expect(body.count < 24)
            #expect(BlockCodec.decode(body, base) == next)
        }
    }

    @Test func sizeIsThatOfTheLimit() {
        var generator = FuzzGenerator(seed: 7)
        for (density, atLeast) in [(0.001, 1000.0), (0.01, 145), (0.03, 58), (0.1, 20)] {
            let (base, next) = pair(DeltaFormat.blockElements, density: density, spread: 1, &generator)
            // A third of the drawn changes are by 0 and are none.
            let ratio = Double(2 * base.count) / Double(BlockCodec.encode(base, next).count)
            #expect(ratio > atLeast, "density \(density): \(ratio)")
        }
        #expect(BlockCodec.encode([1, 2, 3], [1, 2, 3]) == [UInt8(CD_UNCHANGED)])
    }

    @Test func wrongBaseGivesOtherValuesAndNoCrash() {
        var generator = FuzzGenerator(seed: 8)
        let (base, next) = pair(3000, density: 0.05, spread: 2, &generator)
        let body = BlockCodec.encode(base, next)
        let (other, _) = pair(3000, density: 0, spread: 1, &generator)
        #expect(BlockCodec.decode(body, other) != next)
        #expect(BlockCodec.decode(body, Array(base.dropLast(1500))) == nil)
    }

    @Test func everyCutAndEveryExtraByteIsRefused() {
        var generator = FuzzGenerator(seed: 9)
        for (density, spread) in [(0.02, 1), (0.02, 32_000), (0.9, 1), (1.0, 32_767)] {
            let (base, next) = pair(500, density: density, spread: spread, &generator)
            let body = BlockCodec.encode(base, next)
            for count in 0..<body.count { #expect(BlockCodec.decode(Array(body.prefix(count)), base) == nil) }
            #expect(BlockCodec.decode(body + [0], base) == nil)
        }
    }

    @Test func fuzzedBodiesNeverReadOrWriteOutside() async {
        let count = 700
        var generator = FuzzGenerator(seed: 10)
        let base = pair(count, density: 0, spread: 1, &generator).base
        let bodies = [(0.01, 1), (0.1, 1), (0.1, 32_767), (0.9, 1), (1.0, 300), (0, 1)].map { density, spread in
            BlockCodec.encode(
                base,
                base.map { old in
                    guard Double.random(in: 0..<1, using: &generator) < density else { return old }
                    return old &+ UInt16(truncatingIfNeeded: Int.random(in: -spread...spread, using: &generator))
                })
        }
        // Guards on both sides of the target show writes outside; reads are shown by the sanitizer's run of the same loop.
        let guardWords = 64
        let memory = FuzzMemory()
        await Fuzz.run(atLeast: 20_000) { seed in
            var generator = FuzzGenerator(seed: seed)
            let body = Mutation.mutate(bodies, interesting: [0, 1, 2, 3, 20, 31, 255], using: &generator)
            let padded = body + [UInt8](repeating: UInt8(truncatingIfNeeded: seed), count: Int(CD_SLACK))
            var memory =
                [UInt16](repeating: 0xDEAD, count: guardWords) + base + [UInt16](repeating: 0xDEAD, count: guardWords)
            let isTaken = memory.withUnsafeMutableBufferPointer { buffer -> Bool in
                guard let start = buffer.baseAddress, cd_body_bytes(padded, body.count, count) == body.count else {
                    return false
                }
                return cd_decode(padded, body.count, start + guardWords, count)
            }
            let isWhole =
                memory.prefix(guardWords).allSatisfy { $0 == 0xDEAD }
                && memory.suffix(guardWords).allSatisfy { $0 == 0xDEAD }
            if !isWhole { Issue.record("written outside: APUS_FUZZ_SEED=\(seed)") }
            if seed % 16 == 0 {
                let expected = ReferenceDecoder.decode(body, base)
                let found = isTaken ? Array(memory[guardWords..<guardWords + count]) : nil
                if expected != found { Issue.record("the two decoders disagree: APUS_FUZZ_SEED=\(seed)") }
            }
        }
        if let growth = memory?.growth {
            print("peak memory rose by \(growth.resident) MiB, asked for \(growth.reserved) MiB")
            #expect(growth.resident < 128 && growth.reserved < 1024)
        }
    }
}

/// The scalar twin: one bit at a time, as docs/fan-out.md says it.
enum ReferenceDecoder {
    private struct Bits {
        let bytes: ArraySlice<UInt8>
        var position = 0

        mutating func one() -> Int? {
            let index = bytes.startIndex + position / 8
            guard index < bytes.endIndex else { return nil }
            defer { position += 1 }
            return Int(bytes[index] >> (position % 8) & 1)
        }

        mutating func number(_ bits: Int) -> Int? {
            var value = 0
            for bit in 0..<bits {
                guard let one = one() else { return nil }
                value |= one << bit
            }
            return value
        }

        mutating func zeros(atMost limit: Int) -> Int? {
            var count = 0
            while true {
                guard let one = one(), count <= limit else { return nil }
                if one == 1 { return count }
                count += 1
            }
        }

        /// Less than a byte is left, of zeros.
        mutating func isFinished() -> Bool {
            let left = bytes.count * 8 - position
            guard left < 8 else { return false }
            return number(left) == 0
        }
    }

    private static func order(_ pattern: UInt16) -> UInt16 { pattern < 0x8000 ? pattern | 0x8000 : ~pattern }
    private static func pattern(_ order: UInt16) -> UInt16 { order >= 0x8000 ? order & 0x7FFF : ~order }

    private static func moved(_ old: UInt16, by difference: Int) -> UInt16 {
        pattern(UInt16(truncatingIfNeeded: Int(order(old)) + difference))
    }

    static func decode(_ body: [UInt8], _ base: [UInt16]) -> [UInt16]? {
        guard let mode = body.first else { return nil }
        switch Int(mode) {
        case Int(CD_UNCHANGED): return body.count == 1 ? base : nil
        case Int(CD_FULL):
            guard body.count == 1 + 2 * base.count else { return nil }
            return base.indices.map { UInt16(body[1 + 2 * $0]) | UInt16(body[2 + 2 * $0]) << 8 }
        case Int(CD_SPARSE): return sparse(body, base)
        case Int(CD_DENSE): return dense(body, base)
        default: return nil
        }
    }

    private static func number(_ body: [UInt8], _ place: Int) -> Int {
        Int(body[place]) | Int(body[place + 1]) << 8 | Int(body[place + 2]) << 16
    }

    private static func sparse(_ body: [UInt8], _ base: [UInt16]) -> [UInt16]? {
        guard body.count >= 12 else { return nil }
        let (gapK, valueK) = (Int(body[1]), Int(body[2]))
        let (changes, gapBytes, valueBytes) = (number(body, 3), number(body, 6), number(body, 9))
        guard gapK <= 20, valueK <= 15 || valueK == 31, changes > 0, changes <= base.count,
            body.count == 12 + gapBytes + valueBytes, body.count < 1 + 2 * base.count,
            valueK != 31 || valueBytes == 2 * changes
        else { return nil }
        var gaps = Bits(bytes: body[12..<12 + gapBytes])
        var values = Bits(bytes: body[(12 + gapBytes)...])
        var result = base
        var place = -1
        for _ in 0..<changes {
            guard let quotient = gaps.zeros(atMost: 20) else { return nil }
            guard let rest = gaps.number(quotient == 20 ? 20 : gapK) else { return nil }
            place += 1 + (quotient == 20 ? rest : quotient << gapK + rest)
            guard place < base.count else { return nil }
            if valueK == 31 {
                guard let value = values.number(16) else { return nil }
                result[place] = UInt16(value)
                continue
            }
            guard let steps = values.zeros(atMost: 16), let low = values.number(steps == 16 ? 16 : valueK) else {
                return nil
            }
            let folded = steps << valueK + low
            guard steps == 16 || folded <= 0xFFFF else { return nil }
            let size = folded / 2 + 1
            result[place] = steps == 16 ? UInt16(low) : moved(base[place], by: folded % 2 == 0 ? size : -size)
        }
        return gaps.isFinished() && values.isFinished() ? result : nil
    }

    private static func dense(_ body: [UInt8], _ base: [UInt16]) -> [UInt16]? {
        let groups = (base.count + 31) / 32
        guard body.count >= 4 + (groups + 1) / 2, number(body, 1) == body.count - 4, body.count < 1 + 2 * base.count
        else {
            return nil
        }
        let widths = (0..<groups + groups % 2).map { Int(body[4 + $0 / 2] >> ($0 % 2 * 4) & 15) }
        guard groups % 2 == 0 || widths[groups] == 0 else { return nil }
        var bits = Bits(bytes: body[(4 + (groups + 1) / 2)...])
        var result = base
        for group in 0..<groups {
            let width = widths[group] == 15 ? 16 : widths[group]
            for index in group * 32..<group * 32 + 32 {
                guard let folded = bits.number(width) else { return nil }
                guard index < base.count else {
                    guard folded == 0 else { return nil }
                    continue
                }
                result[index] = moved(base[index], by: folded % 2 == 0 ? folded / 2 : -(folded + 1) / 2)
            }
        }
        return bits.position == bits.bytes.count * 8 ? result : nil
    }
}
