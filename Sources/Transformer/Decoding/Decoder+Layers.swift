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
        for unit in plan.units where workspace.finite.pointer[unit.rows.lowerBound] == 0 {
            throw ModelError(
                .notFinite, place: "forward pass",
                "a value overflowed or is not a number; these weights cannot be used, go back to an earlier version")
        }
    }

    private func reserveAttentionScratch() {
        let count = attentionShape.scratchCount(positions: plan.longestContext)
        if attentionScratch.first.map({ $0.count >= count }) == true { return }
        // Twice what is needed now, so that a growing sequence does not allocate at every step.
        let generous = attentionShape.scratchCount(positions: 2 * plan.longestContext)
        attentionScratch = (0..<pool.threads).map { _ in Storage(count: generous) }
    }

    private func run(_ scope: Scope) {
        let width = configuration.hiddenSize
        CanonicalEnvironment.run {
            scope.eachUnit { unit, _ in
                let rows = plan.units[unit].rows
                workspace.finite.pointer[rows.lowerBound] = 1
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
        scope.eachUnit { unit, _ in
            rotate(unit, layer)
            store(unit, index)
        }
        let attentionWork = 4 * configuration.queryWidth * plan.visiblePositions
        scope.eachUnitAndHead(
            configuration.keyValueHeads, isWorthSharing: attentionWork >= Self.smallestSharedAttention
        ) { unit, heads, thread in
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

    /// Rotates queries and keys, rounds values, and notes anything that is not finite.
    private func rotate(_ unit: Int, _ layer: LayerPlan) {
        let rows = plan.units[unit].rows
        let (query, keyValue) = (configuration.queryWidth, configuration.keyValueWidth)
        let stride = workspace.projectedWidth
        let projected = workspace.projected.pointer + rows.lowerBound * stride
        let positions = UnsafePointer(workspace.positions.pointer + rows.lowerBound)
        let epsilon = configuration.rmsEpsilon
        kernels.rope(
            projected, stride: stride, rows: rows.count, heads: configuration.heads,
            norm: layer.queryNorm.map { ($0, epsilon) }, positions: positions, table: layer.rotary,
            into: workspace.queries.pointer + rows.lowerBound * query, targetStride: query)
        kernels.rope(
            projected + query, stride: stride, rows: rows.count, heads: configuration.keyValueHeads,
            norm: layer.keyNorm.map { ($0, epsilon) }, positions: positions, table: layer.rotary,
            into: workspace.keys.pointer + rows.lowerBound * keyValue, targetStride: keyValue)
        for row in 0..<rows.count {
            let source = projected + row * stride
            kernels.roundToBFloat16(
                source + query + keyValue, into: workspace.values.pointer + (rows.lowerBound + row) * keyValue,
                count: keyValue)
            // Infinite keys could hide behind the softmax's clamps, so they are looked for here.
            if !Kernels.isFinite(source, count: query + 2 * keyValue) {
                workspace.finite.pointer[rows.lowerBound] = 0
            }
        }
    }

    /// Writes keys and values into the pages.
    private func store(_ unit: Int, _ layer: Int) {
        let width = configuration.headDimension
        let layout = pageLayout
        for piece in plan.pieces[plan.units[unit].pieces] {
            let table = piece.table.takeUnretainedValue()
            for row in piece.rows {
                let position = piece.position + row - piece.rows.lowerBound
                let page = table.page(of: position)
                let slot = position % KeyValuePageLayout.positions
                let first = row * configuration.keyValueWidth
                for head in 0..<configuration.keyValueHeads {
                    layout.writeKey(
                        workspace.keys.pointer + first + head * width, page: page, layer: layer, head: head, slot: slot)
                    layout.writeValue(
                        workspace.values.pointer + first + head * width, page: page, layer: layer, head: head,
                        slot: slot)
                }
            }
        }
    }

    private func attend(_ unit: Int, _ heads: Range<Int>, layer: Int, scratch: UnsafeMutablePointer<Float>) {
        let width = configuration.queryWidth
        for piece in plan.pieces[plan.units[unit].pieces] {
            let first = piece.rows.lowerBound * width
            kernels.attention(
                query: workspace.queries.pointer + first, stride: width, rows: piece.rows.count,
                firstPosition: piece.position, pages: piece.table.takeUnretainedValue().addresses, layout: pageLayout,
                layer: layer, shape: layers[layer].attention, keyValueHeads: heads,
                into: workspace.attended.pointer + first,
                outStride: width, scratch: scratch)
        }
    }

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
        if !finite { workspace.finite.pointer[rows.lowerBound] = 0 }
    }
}
