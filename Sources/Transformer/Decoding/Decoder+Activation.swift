import Tensors

/// The first half of the feed-forward block, panel by panel.
extension Decoder {
    /// Gate and up panels of the same columns, and SwiGLU over both before they leave the cache of their thread.
    ///
    /// For all rows of a chunk; the inner width is a multiple of a panel's.
    func activate(_ matrices: LayerWeights, fetching: FetchedBlocks?, _ rows: Int, _ pool: ComputePool) {
        let (hidden, inner) = (configuration.hiddenSize, configuration.intermediateSize)
        let panels = inner / PackedMatrix.panelWidth
        // One thread, too, works in tasks that stay in its cache.
        let tasks = MatmulPlan(rows: rows, panels: panels, columns: hidden, threads: max(2, pool.threads))
        let most = tasks.rowsPerTask * tasks.panelsPerTask * PackedMatrix.panelWidth
        reserveActivationScratch(2 * most)
        let bias = matrices.gateUpBias.map { UnsafePointer($0.pointer) }
        pool.run(tasks.tasks) { task, thread in
            let part = tasks.part(task)
            let width = part.panels.count * PackedMatrix.panelWidth
            let column = part.panels.lowerBound * PackedMatrix.panelWidth
            let source = workspace.normed.pointer + part.rows.lowerBound * hidden
            let gate = activationScratch[thread].pointer
            let up = gate + most
            let fetching = fetching?.share(task, of: tasks.tasks)
            // The kernels address column 0 of the whole matrix, of which the scratch holds the columns of these panels.
            kernels.matmul(
                source, stride: hidden, rows: part.rows.count, by: matrices.gateUp, panels: part.panels,
                into: gate - column, outStride: width, bias: bias, fetching: fetching?.share(0, of: 2))
            kernels.matmul(
                source, stride: hidden, rows: part.rows.count, by: matrices.gateUp,
                panels: part.panels.lowerBound + panels..<part.panels.upperBound + panels,
                into: up - inner - column, outStride: width, bias: bias, fetching: fetching?.share(1, of: 2))
            kernels.swiGLU(
                gate: gate, up: up, stride: width, rows: part.rows.count, width: width,
                into: workspace.activated.pointer + part.rows.lowerBound * inner + column, targetStride: inner)
        }
    }

    /// Hands out what attention of a layer will read, unless it is more than caches hold or there is no such layer.
    func withKeysAndValues(ofLayer layer: Int, _ body: (FetchedBlocks?) -> Void) {
        let count = pageLayout.layerElementCount
        guard layer < layers.count, plan.pages.count * count <= Self.largestFetch else { return body(nil) }
        plan.pages.withUnsafeBufferPointer {
            body(FetchedBlocks($0, offset: pageLayout.keyOffset(layer: layer, head: 0), count: count))
        }
    }

    /// Elements: about half of what a few cores share of a third-level cache.
    private static let largestFetch = 8 << 20

    private func reserveActivationScratch(_ count: Int) {
        if activationScratch.first.map({ $0.count >= count }) == true { return }
        activationScratch = (0..<pool.threads).map { _ in Storage(count: count, zeroed: false) }
    }
}
