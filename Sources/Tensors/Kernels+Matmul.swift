import CKernels

extension Kernels {
    /// `out[m, n] = Σ x[m, k] · w[n, k]` by the chain of rule 3, on the calling thread.
    ///
    /// - Parameters:
    ///   - x: bf16 [rows, w.columns].
    ///   - panels: The panels of `w` to compute, all by default; `out` and `bias` still address column 0 of the matrix.
    ///   - out: f32 [rows, w.rows]; no element outside the given panels and rows is touched.
    ///   - bias: f32 [w.rows], added after the chain.
    ///   - accumulating: `out += y` instead of `out = y`: the residual addition without a second pass.
    ///   - fetching: What is brought into the caches meanwhile.
    public func matmul(
        _ x: UnsafePointer<BFloat16Bits>, stride: Int, rows: Int, by w: PackedMatrix, panels: Range<Int>? = nil,
        into out: UnsafeMutablePointer<Float>, outStride: Int, bias: UnsafePointer<Float>? = nil,
        accumulating: Bool = false, fetching: FetchedBlocks? = nil
    ) {
        let panels = panels ?? 0..<w.panelCount
        precondition(panels.lowerBound >= 0 && panels.upperBound <= w.panelCount, "panels outside the matrix")
        guard rows > 0, !panels.isEmpty else { return }
        let first = panels.lowerBound * PackedMatrix.panelWidth
        let last = min(panels.upperBound * PackedMatrix.panelWidth, w.rows)
        var job = ck_matmul_job(
            x: x, x_stride: stride, rows: rows, k: w.columns, panels: w.panelPointer(panels.lowerBound),
            columns: last - first, out: out + first, out_stride: outStride, bias: bias.map { $0 + first },
            accumulate: accumulating, fetch: nil)
        guard var fetch = fetching?.forC else { return CanonicalEnvironment.run { table.pointee.matmul(&job) } }
        withUnsafePointer(to: &fetch) { fetch in
            job.fetch = fetch
            CanonicalEnvironment.run { table.pointee.matmul(&job) }
        }
    }

    /// The same product spread over a pool by panels and blocks of rows; small products stay on the calling thread.
    public func matmul(
        _ x: UnsafePointer<BFloat16Bits>, stride: Int, rows: Int, by w: PackedMatrix,
        into out: UnsafeMutablePointer<Float>, outStride: Int, bias: UnsafePointer<Float>? = nil,
        accumulating: Bool = false, pool: ComputePool
    ) {
        let plan = MatmulPlan(rows: rows, panels: w.panelCount, columns: w.columns, threads: pool.threads)
        guard plan.tasks > 1 else {
            return matmul(
                x, stride: stride, rows: rows, by: w, into: out, outStride: outStride, bias: bias,
                accumulating: accumulating)
        }
        pool.run(plan.tasks) { task, _ in
            let part = plan.part(task)
            matmul(
                x + part.rows.lowerBound * stride, stride: stride, rows: part.rows.count, by: w, panels: part.panels,
                into: out + part.rows.lowerBound * outStride, outStride: outStride, bias: bias,
                accumulating: accumulating)
        }
    }
}
