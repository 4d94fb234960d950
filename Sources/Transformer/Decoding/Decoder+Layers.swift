import Tensors

/// The layers, over the rows of one chunk.
extension Decoder {
    /// Where the work of a pass runs: spread inside each operation, or one unit alone on its thread.
    private struct Scope {
        let rows: Range<Int>
        let units: Range<Int>
        /// nil: everything on the calling thread.
        let pool: ComputePool?
        let thread: Int

        func eachUnit(_ body: (_ unit: Int, _ thread: Int) -> Void) {
            guard let pool, units.count > 1 else {
                for unit in units { body(unit, thread) }
                return
            }
            pool.run(units.count) { task, thread in body(units.lowerBound + task, thread) }
        }

        /// Calls `body` for every unit and every key-value head, which are independent in attention.
        func eachUnitAndHead(
            _ heads: Int, isWorthSharing: Bool, _ body: (_ unit: Int, _ heads: Range<Int>, _ thread: Int) -> Void
        ) {
            guard let pool, isWorthSharing else {
                for unit in units { body(unit, 0..<heads, thread) }
                return
            }
            pool.run(units.count * heads) { task, thread in
                let head = task % heads
                body(units.lowerBound + task / heads, head..<head + 1, thread)
            }
        }
    }

    /// Computes the planned rows and records how long their sequences are now.
    func runChunk() throws(ModelError) {
        reserveAttentionScratch()
        let units = plan.units.indices
        if isWide || pool.threads == 1 || units.count == 1 {
            run(Scope(rows: 0..<plan.rowCount, units: units, pool: isWide ? pool : nil, thread: 0))
        } else {
            pool.run(units.count) { unit, thread in
                run(Scope(rows: plan.units[unit].rows, units: unit..<unit + 1, pool: nil, thread: thread))
            }
        }
        for piece in plan.pieces {
            piece.table.takeUnretainedValue().length = piece.position + piece.rows.count
        }
        for unit in plan.units where finiteFlags(unit).contains(0) {
            throw ModelError(
                .notFinite, place: "forward pass",
                "a value overflowed or is not a number; these weights cannot be used, go back to an earlier version")
        }
    }

    private func run(_ scope: Scope) {
        let width = configuration.hiddenSize
        CanonicalEnvironment.run {
            scope.eachUnit { unit, _ in
                let rows = plan.units[unit].rows
                finiteFlags(plan.units[unit]).update(repeating: 1)
                kernels.embed(
                    table: weights.embedding, tokens: workspace.tokens.pointer + rows.lowerBound, count: rows.count,
                    into: workspace.residual.pointer + rows.lowerBound * width)
            }
            for index in layers.indices {
                attentionBlock(index, scope)
                feedForwardBlock(index, scope)
            }
            scope.eachUnit { unit, _ in finish(unit) }
        }
    }

    private func attentionBlock(_ index: Int, _ scope: Scope) {
        let layer = layers[index]
        norm(layer.inputNorm, scope)
        product(
            workspace.normed, configuration.hiddenSize, by: layer.matrices.queryKeyValue,
            bias: layer.matrices.queryKeyValueBias, into: workspace.projected, workspace.projectedWidth, scope)
        let heads = configuration.keyValueHeads
        let areIndependent = plan.unitsAreIndependent
        if !areIndependent {
            scope.eachUnitAndHead(heads, isWorthSharing: scope.units.count > 1) { unit, heads, _ in
                prepareAttention(unit, heads, layer: index)
            }
        }
        let attentionWork = 4 * configuration.queryWidth * plan.visiblePositions
        let isWorthSharing = scope.units.count > 1 || attentionWork >= Self.smallestSharedAttention
        scope.eachUnitAndHead(heads, isWorthSharing: isWorthSharing) { unit, heads, thread in
            if areIndependent { prepareAttention(unit, heads, layer: index) }
            attend(unit, heads, layer: index, scratch: attentionScratch[thread].pointer)
        }
        product(
            workspace.attended, configuration.queryWidth, by: layer.matrices.attentionOutput,
            bias: layer.matrices.attentionOutputBias, into: workspace.residual, configuration.hiddenSize,
            accumulating: true, scope)
    }

    private func feedForwardBlock(_ index: Int, _ scope: Scope) {
        let layer = layers[index]
        let inner = configuration.intermediateSize
        norm(layer.postAttentionNorm, scope)
        if let pool = scope.pool, inner % PackedMatrix.panelWidth == 0 {
            withKeysAndValues(ofLayer: index + 1) { activate(layer.matrices, fetching: $0, scope.rows.count, pool) }
        } else {
            product(
                workspace.normed, configuration.hiddenSize, by: layer.matrices.gateUp,
                bias: layer.matrices.gateUpBias, into: workspace.projected, workspace.projectedWidth, scope)
            scope.eachUnit { unit, _ in
                let rows = plan.units[unit].rows
                let gate = workspace.projected.pointer + rows.lowerBound * workspace.projectedWidth
                kernels.swiGLU(
                    gate: gate, up: gate + inner, stride: workspace.projectedWidth, rows: rows.count, width: inner,
                    into: workspace.activated.pointer + rows.lowerBound * inner, targetStride: inner)
            }
        }
        product(
            workspace.activated, inner, by: layer.matrices.down, bias: layer.matrices.downBias,
            into: workspace.residual, configuration.hiddenSize, accumulating: true, scope)
    }

    private func norm(_ weight: UnsafePointer<BFloat16Bits>, _ scope: Scope) {
        let width = configuration.hiddenSize
        scope.eachUnit { unit, _ in
            let rows = plan.units[unit].rows
            kernels.rmsNorm(
                workspace.residual.pointer + rows.lowerBound * width, stride: width, weight: weight,
                epsilon: configuration.rmsEpsilon, rows: rows.count, width: width,
                into: workspace.normed.pointer + rows.lowerBound * width, targetStride: width)
        }
    }

    private func product(
        _ x: Storage<BFloat16Bits>, _ width: Int, by matrix: PackedMatrix, bias: Storage<Float>?,
        into out: Storage<Float>, _ outWidth: Int, accumulating: Bool = false, _ scope: Scope
    ) {
        let first = scope.rows.lowerBound
        let source = x.pointer + first * width
        let target = out.pointer + first * outWidth
        let bias = bias.map { UnsafePointer($0.pointer) }
        if let pool = scope.pool {
            kernels.matmul(
                source, stride: width, rows: scope.rows.count, by: matrix, into: target, outStride: outWidth,
                bias: bias,
                accumulating: accumulating, pool: pool)
        } else {
            kernels.matmul(
                source, stride: width, rows: scope.rows.count, by: matrix, into: target, outStride: outWidth,
                bias: bias,
                accumulating: accumulating)
        }
    }

    /// About ten microseconds of arithmetic; waking a thread for less costs more than it brings.
    private static let smallestSharedAttention = 300_000

    /// The last norm of the wanted rows, and the check that nothing overflowed.
    private func finish(_ unit: Int) {
        let width = configuration.hiddenSize
        let rows = plan.units[unit].rows
        var finite = Kernels.isFinite(
            workspace.residual.pointer + rows.lowerBound * width, count: rows.count * width)
        for run in plan.outputRuns[plan.units[unit].outputs] {
            let target = hidden.pointer + run.target * width
            kernels.rmsNorm(
                workspace.residual.pointer + run.row * width, stride: width, weight: finalNorm,
                epsilon: configuration.rmsEpsilon, rows: run.count, width: width, into: target, targetStride: width)
            finite = Kernels.isFinite(target, count: run.count * width) && finite
        }
        if !finite { noteOverflow(unit, 0) }
    }

    private func finiteFlags(_ unit: ForwardPlan.Unit) -> UnsafeMutableBufferPointer<UInt8> {
        let heads = configuration.keyValueHeads
        return UnsafeMutableBufferPointer(
            start: workspace.finite.pointer + unit.rows.lowerBound * heads, count: heads)
    }

    /// Notes that what was computed of a head, or of all of them under the first one's name, is not finite.
    func noteOverflow(_ unit: Int, _ head: Int) {
        finiteFlags(plan.units[unit])[head] = 0
    }
}
