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

    /// Rotates queries and keys, rounds values, and notes anything that is not finite.
    func rotate(_ unit: Int, _ layer: LayerPlan) {
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
    func store(_ unit: Int, _ layer: Int) {
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

    func attend(_ unit: Int, _ heads: Range<Int>, layer: Int, scratch: UnsafeMutablePointer<Float>) {
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
}
