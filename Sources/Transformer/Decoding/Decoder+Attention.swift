import Tensors

/// Attention of a chunk's rows: rotation, the cache, and what the kernels read of it.
extension Decoder {
    /// Gives every thread the scratch that the longest context of the plan needs.
    func reserveAttentionScratch() {
        let count = attentionShape.scratchCount(positions: plan.longestContext)
        if attentionScratch.first.map({ $0.count >= count }) == true { return }
        // Twice what is needed now, so that a growing sequence does not allocate at every step.
        let generous = attentionShape.scratchCount(positions: 2 * plan.longestContext)
        attentionScratch = (0..<pool.threads).map { _ in Storage(count: generous) }
    }

    /// Rotates queries and keys of some key/value heads, rounds values, and notes anything that is not finite.
    private func rotate(_ unit: Int, _ head: Int, _ layer: LayerPlan, _ rotary: RotaryRows) {
        let rows = plan.units[unit].rows
        let (query, keyValue) = (configuration.queryWidth, configuration.keyValueWidth)
        let width = configuration.headDimension
        let group = layer.attention.group
        let stride = workspace.projectedWidth
        let queries = workspace.projected.pointer + rows.lowerBound * stride + head * group * width
        let keys = workspace.projected.pointer + rows.lowerBound * stride + query + head * width
        let positions = UnsafePointer(workspace.positions.pointer + rows.lowerBound)
        let epsilon = configuration.rmsEpsilon
        kernels.rope(
            queries, stride: stride, rows: rows.count, heads: group, norm: layer.queryNorm.map { ($0, epsilon) },
            positions: positions, table: rotary,
            into: workspace.queries.pointer + rows.lowerBound * query + head * group * width, targetStride: query)
        kernels.rope(
            keys, stride: stride, rows: rows.count, heads: 1, norm: layer.keyNorm.map { ($0, epsilon) },
            positions: positions, table: rotary,
            into: workspace.keys.pointer + rows.lowerBound * keyValue + head * width, targetStride: keyValue)
        for row in 0..<rows.count {
            let values = keys + row * stride + keyValue
            kernels.roundToBFloat16(
                values, into: workspace.values.pointer + (rows.lowerBound + row) * keyValue + head * width,
                count: width)
            // Infinite keys could hide behind the softmax's clamps, so they are looked for here.
            if !Kernels.isFinite(queries + row * stride, count: group * width)
                || !Kernels.isFinite(keys + row * stride, count: width) || !Kernels.isFinite(values, count: width)
            {
                noteOverflow(unit, head)
            }
        }
    }

    /// Writes keys and values of one head into the pages.
    private func store(_ unit: Int, _ head: Int, _ layer: Int) {
        let layout = pageLayout
        for piece in plan.pieces[plan.units[unit].pieces] {
            let table = piece.table.takeUnretainedValue()
            for row in piece.rows {
                let position = piece.position + row - piece.rows.lowerBound
                let page = table.page(of: position)
                let slot = position % KeyValuePageLayout.positions
                let first = row * configuration.keyValueWidth + head * configuration.headDimension
                layout.writeKey(workspace.keys.pointer + first, page: page, layer: layer, head: head, slot: slot)
                layout.writeValue(workspace.values.pointer + first, page: page, layer: layer, head: head, slot: slot)
            }
        }
    }

    /// Brings queries, keys and values of a unit's rows to where attention reads them.
    func prepareAttention(_ unit: Int, _ heads: Range<Int>, layer: Int) {
        let rotary = layers[layer].rotary.rows(for: plan.longestContext)
        for head in heads {
            rotate(unit, head, layers[layer], rotary)
            store(unit, head, layer)
        }
    }

    /// Attention of a unit's rows over what their sequences have stored.
    func attend(_ unit: Int, _ heads: Range<Int>, layer: Int, scratch: UnsafeMutablePointer<Float>) {
        let width = configuration.queryWidth
        plan.segments.withUnsafeBufferPointer { segments in
            for company in plan.companies[plan.units[unit].companies] {
                kernels.attention(
                    UnsafeBufferPointer(rebasing: segments[company.pieces]), sharedPages: company.sharedPages,
                    query: workspace.queries.pointer, stride: width, layout: pageLayout, layer: layer,
                    shape: layers[layer].attention, keyValueHeads: heads, into: workspace.attended.pointer,
                    outStride: width, scratch: scratch)
            }
        }
    }
}
