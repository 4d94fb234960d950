import CKernels

extension Kernels {
    /// Rounds binary32 to bf16, to nearest even; denormals become signed zeros.
    public func roundToBFloat16(
        _ source: UnsafePointer<Float>, into target: UnsafeMutablePointer<BFloat16Bits>, count: Int
    ) {
        table.pointee.round(source, target, count)
    }

    /// Widens bf16 to binary32.
    public func widen(_ source: UnsafePointer<BFloat16Bits>, into target: UnsafeMutablePointer<Float>, count: Int) {
        table.pointee.widen(source, target, count)
    }

    /// Looks up `count` rows of a bf16 table [vocabulary, width] into f32 rows.
    ///
    /// Ids must be below the vocabulary size; check them where they enter the process.
    public func embed(
        table source: UnsafePointer<BFloat16Bits>, width: Int, tokens: UnsafePointer<Int32>, count: Int,
        into target: UnsafeMutablePointer<Float>
    ) {
        table.pointee.embed(source, width, tokens, count, target)
    }

    /// Looks up rows of a packed table [vocabulary, width]: the bits of the lookup in the table as it was before packing.
    ///
    /// Ids must be below the vocabulary size; check them where they enter the process.
    public func embed(
        table: PackedMatrix, tokens: UnsafePointer<Int32>, count: Int, into target: UnsafeMutablePointer<Float>
    ) {
        ck_embed_packed(table.storage.pointer, table.columns, tokens, count, target)
    }

    /// The residual addition `x += y`.
    public func addResidual(
        _ y: UnsafePointer<Float>, to x: UnsafeMutablePointer<Float>, count: Int
    ) {
        CanonicalEnvironment.run { table.pointee.add(x, y, count) }
    }

    /// RMSNorm of f32 rows into bf16 rows, one rounding after the weight (rule 5).
    public func rmsNorm(
        _ x: UnsafePointer<Float>, stride: Int, weight: UnsafePointer<BFloat16Bits>, epsilon: Float, rows: Int,
        width: Int, into target: UnsafeMutablePointer<BFloat16Bits>, targetStride: Int
    ) {
        CanonicalEnvironment.run {
            table.pointee.rms_norm(x, stride, weight, epsilon, rows, width, target, targetStride)
        }
    }

    /// `g / (1 + exp(0 - g)) * u` over rows of gate and up values, rounded to bf16.
    ///
    /// `stride` holds for both inputs: in a fused gate/up product both are parts of one row.
    public func swiGLU(
        gate: UnsafePointer<Float>, up: UnsafePointer<Float>, stride: Int, rows: Int, width: Int,
        into target: UnsafeMutablePointer<BFloat16Bits>, targetStride: Int
    ) {
        CanonicalEnvironment.run {
            table.pointee.swiglu(gate, up, stride, rows, width, target, targetStride)
        }
    }

    /// Rotates heads by their positions, after an optional per-head RMSNorm (rules 5 and 6).
    ///
    /// - Parameters:
    ///   - x: f32 rows of `heads` heads, as the projection left them.
    ///   - norm: The q/k norm's bf16 weight [headDimension] and epsilon, or nil for models without one.
    ///   - positions: One absolute position per row, each below `RotaryTable.maximumPositions`.
    public func rope(
        _ x: UnsafePointer<Float>, stride: Int, rows: Int, heads: Int,
        norm: (weight: UnsafePointer<BFloat16Bits>, epsilon: Float)? = nil, positions: UnsafePointer<Int32>,
        table rotary: RotaryTable, into target: UnsafeMutablePointer<BFloat16Bits>, targetStride: Int
    ) {
        var highest: Int32 = 0
        for row in 0..<rows { highest = max(highest, positions[row]) }
        rope(
            x, stride: stride, rows: rows, heads: heads, norm: norm, positions: positions,
            table: rotary.rows(for: Int(highest) + 1), into: target, targetStride: targetStride)
    }

    /// The same with rows that were looked up before, which spares the table's lock.
    public func rope(
        _ x: UnsafePointer<Float>, stride: Int, rows: Int, heads: Int,
        norm: (weight: UnsafePointer<BFloat16Bits>, epsilon: Float)? = nil, positions: UnsafePointer<Int32>,
        table rotary: RotaryRows, into target: UnsafeMutablePointer<BFloat16Bits>, targetStride: Int
    ) {
        for row in 0..<rows {
            precondition(
                positions[row] >= 0 && positions[row] < rotary.positions, "position \(positions[row]) is off the table")
        }
        var job = ck_rotary_job(
            x: x, x_stride: stride, out: target, out_stride: targetStride, rows: rows, heads: heads,
            head_dimension: rotary.halfDimension * 2, norm_weight: norm?.weight, epsilon: norm?.epsilon ?? 0,
            positions: positions, cosines: rotary.cosines, sines: rotary.sines)
        CanonicalEnvironment.run { table.pointee.rotate(&job) }
    }

    /// `e^x`, 0 below -87.33 and clamped at 88; at most 2 ulp off (rule 13).
    public static func exp(_ x: Float) -> Float {
        CanonicalEnvironment.run { ck_exp(x) }
    }

    /// The natural logarithm of a positive normal number; minus infinity for everything else.
    public static func log(_ x: Float) -> Float {
        CanonicalEnvironment.run { ck_log(x) }
    }

    /// `ln(1 + x)` for `x` above -1.
    public static func log1p(_ x: Float) -> Float {
        CanonicalEnvironment.run { ck_log1p(x) }
    }

    /// `e^x` over an array; `target` may be `source`.
    public func exp(_ source: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>, count: Int) {
        CanonicalEnvironment.run { table.pointee.exp(source, target, count) }
    }

    /// Natural logarithms over an array; `target` may be `source`.
    public func log(_ source: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>, count: Int) {
        CanonicalEnvironment.run { table.pointee.log(source, target, count) }
    }

    /// Whether all values are finite; a NaN or an infinity fails a rollout and is never hashed (rule 2).
    public static func isFinite(_ values: UnsafePointer<BFloat16Bits>, count: Int) -> Bool {
        ck_is_finite_bf16(values, count)
    }

    /// Whether all values are finite.
    public static func isFinite(_ values: UnsafePointer<Float>, count: Int) -> Bool {
        ck_is_finite_f32(values, count)
    }
}
